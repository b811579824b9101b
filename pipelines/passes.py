"""The passes of a preparation over the units of a plan, in the order in which they are called."""

from collections.abc import Sequence

from pipelines import count_tokens, duplicates, tokenize, write_shards
from pipelines.census import read_census, write_vocabulary
from pipelines.claims import committed, has_vocabulary
from pipelines.commit import CommitManifest
from pipelines.jobs import JobRunner
from pipelines.plan import Plan
from pipelines.workspace import DUPLICATES, SHARDS, Workspace


class Passes:
    """The passes, each of which does only what an earlier run has not done.

    Attributes:
        needs_vocabulary: whether the vocabulary has still to be learned.
    """

    def __init__(self, plan: Plan, workspace: Workspace, beam_flags: Sequence[str]):
        self._plan, self._workspace = plan, workspace
        self._units = plan.units()
        self._jobs = JobRunner(workspace, beam_flags, input_bytes=plan.total_bytes)
        dataset = committed(workspace)
        self.needs_vocabulary = dataset is None or not has_vocabulary(workspace, dataset)

    def tokenize(self) -> None:
        """Reads and tokenizes the units that a later pass needs: all, or those without shards."""
        done = set() if self.needs_vocabulary else self._workspace.recorded_units(SHARDS)
        work_units = [unit for unit in self._units if unit.index not in done]
        self._jobs.run_units("reading text", tokenize.TokenizeUnit(self._plan.config, self._workspace), work_units)

    def find_duplicates(self) -> None:
        """Searches the documents' hashes, where duplicates are to be dropped."""
        selection = self._plan.config.selection
        if not duplicates.wanted(selection) or self._workspace.is_done(DUPLICATES):
            return
        # What a run that was cut short found would be taken for dropped before the search.
        self._workspace.forget(DUPLICATES)
        self._workspace.make_stage_folder(DUPLICATES)
        for near in sorted({0.0, selection.near_duplicates}):
            search = duplicates.FindDuplicates(self._units, self._workspace, near=near)
            self._jobs.run(f"looking for {duplicates.NEAR if near else duplicates.EXACT}s", search)
        self._workspace.record_done(DUPLICATES)

    def learn_vocabulary(self) -> None:
        """Counts the tokens; the vocabulary is written when every split that was asked for has documents.

        Raises:
            UserError: a split would be empty.
        """
        config, workspace = self._plan.config, self._workspace
        census = read_census(config, workspace)
        if census is None:
            count = count_tokens.CountUnit(config, workspace)
            take = count_tokens.TakeCensus(count, config, workspace)
            self._jobs.run_units("counting tokens", count, self._units, take)
            census = read_census(config, workspace)
            assert census is not None, "the counting pass ends with the census"
        write_vocabulary(census, config, workspace)

    def write_shards(self) -> None:
        """Writes the shards of all units that lack them, and then the manifest."""
        commit = CommitManifest(self._plan, self._workspace)
        work = write_shards.WriteUnit(self._plan.config, self._workspace)
        self._jobs.run_units("writing shards", work, self._units, commit)
