"""Runs the passes of a preparation over the units of a plan."""

from collections.abc import Sequence

from pipelines import count_tokens, write_shards
from pipelines.census import NO_DOCUMENTS, read_census, write_vocabulary
from pipelines.claims import committed, has_vocabulary
from pipelines.commit import CommitManifest
from pipelines.duplicate_searches import find_duplicates
from pipelines.first_pass import AfterFirstPass, FirstPass
from pipelines.jobs import JobRunner
from pipelines.plan import Plan
from pipelines.workspace import SHARDS, Workspace


class Passes:
    """The passes, in the order in which they must be called; each does only what earlier runs have not done.

    Attributes:
        needs_vocabulary: whether the vocabulary still has to be learned.
    """

    def __init__(self, plan: Plan, workspace: Workspace, beam_flags: Sequence[str]):
        self._plan, self._workspace = plan, workspace
        self._units = plan.units()
        self._jobs = JobRunner(workspace, beam_flags, input_bytes=plan.total_bytes)
        dataset = committed(workspace)
        self._has_dataset = dataset is not None
        self.needs_vocabulary = dataset is None or not has_vocabulary(workspace, dataset)

    def tokenize(self) -> None:
        """Reads and tokenizes the units that a later pass needs: all units, or those without shards.

        Raises:
            UserError: a document cannot be read with these settings.
        """
        done = set() if self.needs_vocabulary else self._workspace.recorded_units(SHARDS)
        wanted = [unit for unit in self._units if unit.index not in done]
        first = FirstPass(self._units, self._plan.config, self._workspace)
        first.run(self._jobs, wanted, has_dataset=self._has_dataset)

    def find_duplicates(self) -> None:
        """Searches for duplicates, if they are to be dropped or the splits may share some."""
        find_duplicates(self._jobs, self._units, self._plan.config, self._workspace)

    def learn_vocabulary(self) -> None:
        """Counts the tokens of the training split, and writes the vocabulary.

        Raises:
            UserError: a requested split would be empty.
        """
        config, workspace = self._plan.config, self._workspace
        census = read_census(config, workspace) if self._units else NO_DOCUMENTS
        if census is None:
            count = count_tokens.CountUnit(config, workspace, buckets=count_tokens.buckets_for(len(self._units)))
            take = count_tokens.TakeCensus(count, config, workspace)
            self._jobs.run_units("counting tokens", count, self._units, take)
            census = read_census(config, workspace)
            assert census is not None, "the counting pass ends with the census"
        write_vocabulary(census, config, workspace)

    def write_shards(self) -> None:
        """Writes the shards of all units that have none, then the manifest."""
        commit = CommitManifest(self._plan, self._workspace)
        config, workspace = self._plan.config, self._workspace
        work = AfterFirstPass(write_shards.WriteUnit(config, workspace), config, workspace)
        self._jobs.run_units("writing shards", work, self._units, commit)
