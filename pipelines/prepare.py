"""Prepares a dataset: `textgen prepare`, or on a cluster's launcher `python -m pipelines.prepare`."""

import contextlib
import importlib
import sys
from collections.abc import Sequence

import apache_beam as beam

from pipelines import count_tokens, duplicates, runners, tokenize, write_shards
from pipelines.jobs import ProcessUnits, UnitWork, progress
from pipelines.plan import Plan, make_plan, read_options
from pipelines.workspace import Workspace
from textgen import files
from textgen.config import VOCABULARY_FILE, PrepareConfig
from textgen.console import hushed, say
from textgen.corpus import units
from textgen.corpus.units import Unit
from textgen.dataset import LAYOUTS, Manifest


def prepare(
    inputs: Sequence[str],
    output: str,
    config: PrepareConfig,
    beam_flags: Sequence[str] = (),
    *,
    vocabulary: str | None = None,
    tokenizer_model: str | None = None,
) -> Manifest:
    """Text files to a committed dataset; what an earlier run of the same call did is not done again.

    Args:
        inputs: files, folders and globs, on this machine or at URLs.
        output: the dataset's folder.
        config: what to make of them.
        beam_flags: Beam's own options, such as `--runner=DataflowRunner`.
        vocabulary: a file of tokens, in place of learning them.
        tokenizer_model: the file of a tokenizer that comes with one.

    Raises:
        UserError: the input cannot be read as asked, the folder holds something else, or a held-out split would
            be empty.
    """
    runners.check_beam_flags(beam_flags)
    plan = make_plan(inputs, config, vocabulary=vocabulary, tokenizer_model=tokenizer_model)
    workspace = Workspace(output)
    workspace.claim(plan)
    committed = workspace.committed()
    if committed:
        if all(map(workspace.holds, committed.units)) and workspace.holds_vocabulary(committed):
            workspace.finish()
            say(f"{output} is complete already; nothing to do.")
            return committed
        say(f"{output} has lost files; what they came from is done again.")
        workspace.reopen(committed)
    return make(plan, workspace, beam_flags)


def make(plan: Plan, workspace: Workspace, beam_flags: Sequence[str] = ()) -> Manifest:
    """A claimed folder to a committed dataset: the passes of a preparation, in their order."""
    job = _Job(plan, workspace, beam_flags)
    if not job.has_vocabulary:
        job.tokenize(job.units)
        job.find_duplicates()
        job.learn_vocabulary()
    else:
        job.tokenize(job.units_without_shards())
    job.write_shards()
    workspace.finish()
    manifest = workspace.committed()
    assert manifest is not None, "the shard pass ends with the manifest"
    return manifest


class _Job:
    """The passes over the units of a plan."""

    def __init__(self, plan: Plan, workspace: Workspace, beam_flags: Sequence[str]):
        self._plan, self._workspace, self._beam_flags = plan, workspace, beam_flags
        config = plan.config
        self.units = units.plan_units(
            plan.files,
            unit_bytes=units.unit_bytes(plan.total_bytes, most=LAYOUTS[config.layout].max_unit_bytes),
            open_file=files.open_file,
            options=read_options(config),
        )
        committed = workspace.committed()
        self.has_vocabulary = committed is not None and workspace.holds_vocabulary(committed)

    def units_without_shards(self) -> list[Unit]:
        """The units that the last pass has still to do."""
        done = self._workspace.recorded_units(write_shards.STAGE)
        return [unit for unit in self.units if unit.index not in done]

    def tokenize(self, work_units: list[Unit]) -> None:
        """The pass that reads the text."""
        self._run("reading text", tokenize.TokenizeUnit(self._plan.config, self._workspace), work_units)

    def find_duplicates(self) -> None:
        """The pass over the documents' hashes, where duplicates are to be dropped."""
        selection = self._plan.config.selection
        if not duplicates.wanted(selection) or self._workspace.is_done(tokenize.DUPLICATES):
            return
        # What a run that was cut short found would be taken for dropped before the search.
        self._workspace.forget(tokenize.DUPLICATES)
        files.make_directory(self._workspace.work_path(tokenize.DUPLICATES))
        for near in sorted({0.0, selection.near_duplicates}):
            engine = runners.start(self._beam_flags, input_bytes=self._plan.total_bytes)
            say(f"looking for {duplicates.NEAR if near else duplicates.EXACT}s on {engine.name}")
            _ = engine.pipeline | duplicates.FindDuplicates(self.units, self._workspace, near=near)
            engine.pipeline.run().wait_until_finish()
        self._workspace.record_done(tokenize.DUPLICATES)

    def learn_vocabulary(self) -> None:
        """The pass over the tokens; its vocabulary is written when every split that was asked for has documents."""
        config = self._plan.config
        census = count_tokens.read_census(config, self._workspace)
        if census is None:
            count = count_tokens.CountUnit(config, self._workspace)
            take = count_tokens.TakeCensus(count, config, self._workspace)
            self._run("counting tokens", count, self.units, take)
            census = count_tokens.read_census(config, self._workspace)
            assert census is not None, "the vocabulary pass ends with the census"
        count_tokens.check_splits(census.documents, config)
        learned = count_tokens.learn(census.counts, config, self._workspace)
        found, wanted = len(learned.tokens), config.text.vocabulary_size
        if found == len(census.counts) < wanted and not config.given_vocabulary:
            say(
                f"The training text has {found:,} different {config.text.tokenizer}s; "
                f"the vocabulary is cut from {wanted:,} to them."
            )
        self._workspace.commit(VOCABULARY_FILE, learned.to_bytes())

    def write_shards(self) -> None:
        """The last pass; it ends with the manifest."""
        commit = write_shards.CommitManifest(self._plan, self._workspace)
        self._run("writing shards", write_shards.WriteUnit(self._plan.config, self._workspace), self.units, commit)

    def _run(self, title: str, work: UnitWork, work_units: list[Unit], finish: beam.PTransform | None = None) -> None:
        files.make_directory(self._workspace.work_path(work.stage))
        engine = runners.start(self._beam_flags, input_bytes=self._plan.total_bytes)
        say(f"{title}: {len(work_units)} units on {engine.name}")
        results = engine.pipeline | ProcessUnits(work_units, work, self._workspace)
        if finish:
            _ = results | finish
        with (
            hushed() if engine.noisy else contextlib.nullcontext(sys.stderr) as terminal,
            progress(title, work.stage, work_units, self._workspace, terminal),
        ):
            engine.pipeline.run().wait_until_finish()


if __name__ == "__main__":
    # The command line stands on a floor above, so it is looked up by its name.
    sys.exit(importlib.import_module("textgen.cli").main(["prepare", *sys.argv[1:]]))
