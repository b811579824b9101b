"""Prepares a dataset: `textgen prepare`, or on a cluster's launcher `python -m pipelines.prepare`."""

import argparse
import contextlib
import sys
from collections.abc import Sequence

import apache_beam as beam

from pipelines import arguments, engines, shards, storage, vocabulary
from pipelines.jobs import ProcessUnits, UnitWork, progress
from pipelines.workspace import Plan, Workspace
from textgen.config import VOCABULARY_FILE, PrepareConfig
from textgen.console import hushed, say
from textgen.corpus import units
from textgen.corpus.readers import READERS
from textgen.corpus.units import InputFile, Unit
from textgen.dataset.manifest import Manifest
from textgen.errors import UserError, user_error


def prepare(inputs: Sequence[str], output: str, config: PrepareConfig, beam_flags: Sequence[str] = ()) -> Manifest:
    """Text files to a committed dataset; what an earlier run of the same call did is not done again.

    Args:
        inputs: paths or globs of text and CSV files, on any filesystem that Beam knows.
        output: the dataset's folder.
        config: what to make of them.
        beam_flags: Beam's own options, such as `--runner=DataflowRunner`.

    Raises:
        UserError: the input cannot be read as asked, the folder holds something else, or a held-out split would
            be empty.
    """
    engines.check_beam_flags(beam_flags)
    plan = Plan(config, tuple(_checked_inputs(inputs, config)))
    workspace = Workspace(output)
    workspace.claim(plan)
    committed = workspace.committed()
    if committed:
        if workspace.holds(committed.total) and workspace.holds_vocabulary(committed):
            workspace.finish()
            say(f"{output} is complete already; nothing to do.")
            return committed
        say(f"{output} has lost files; what they came from is done again.")
        workspace.reopen(committed)

    unit_bytes = units.unit_bytes(plan.bytes, config.layout)
    work_units = units.plan(plan.files, unit_bytes=unit_bytes, open_file=storage.open_file)
    job = _Job(workspace, beam_flags, work_units, plan)
    if not (committed and workspace.holds_vocabulary(committed)):
        job.learn_vocabulary()
    job.write_shards()
    workspace.finish()
    manifest = workspace.committed()
    assert manifest is not None, "the shard pass ends with the manifest"
    return manifest


class _Job:
    """The two passes over the units of a plan."""

    def __init__(self, workspace: Workspace, beam_flags: Sequence[str], work_units: list[Unit], plan: Plan):
        self._workspace, self._beam_flags, self._units, self._plan = workspace, beam_flags, work_units, plan

    def learn_vocabulary(self) -> None:
        """The first pass; its vocabulary is written when every split that was asked for has documents."""
        config = self._plan.config
        census = vocabulary.read_census(self._workspace)
        if census is None:
            learn = vocabulary.LearnVocabulary(config.text.vocabulary_size, self._workspace)
            self._run("counting tokens", vocabulary.CountUnit(config), learn)
            census = vocabulary.read_census(self._workspace)
            assert census is not None, "the vocabulary pass ends with the census"
        _check_splits(census.documents, config)
        found, wanted = len(census.vocabulary.tokens), config.text.vocabulary_size
        if found < wanted:
            say(
                f"The training text has {found:,} different {config.text.tokenizer}s; "
                f"the vocabulary is cut from {wanted:,} to them."
            )
        storage.write(self._workspace.path(VOCABULARY_FILE), census.vocabulary.to_bytes())

    def write_shards(self) -> None:
        """The second pass; it ends with the manifest."""
        config = self._plan.config
        commit = shards.CommitManifest(config, self._plan.fingerprint(), self._workspace)
        self._run("writing shards", shards.WriteUnit(config, self._workspace), commit)

    def _run(self, title: str, work: UnitWork, finish: beam.PTransform) -> None:
        storage.make_directory(self._workspace.work_path(work.stage))
        engine = engines.start(self._beam_flags, input_bytes=self._plan.bytes, python_bound=work.python_bound)
        say(f"{title}: {len(self._units)} units on {engine.name}")
        _ = engine.pipeline | ProcessUnits(self._units, work, self._workspace) | finish
        with (
            hushed() if engine.noisy else contextlib.nullcontext(sys.stderr) as terminal,
            progress(title, work.stage, self._units, self._workspace, terminal),
        ):
            engine.pipeline.run().wait_until_finish()


def _checked_inputs(inputs: Sequence[str], config: PrepareConfig) -> list[InputFile]:
    files = storage.find_inputs(inputs, config.format)
    if not files:
        raise UserError(f"the files of {' '.join(inputs)} are all empty. Name files that hold text.")
    for file in files:
        READERS[file.format].check(file.path, storage.open_file, config.text_field)
    if config.text_field and not any(READERS[file.format].has_columns for file in files):
        raise UserError(
            f"--text-field {config.text_field} names a column, and no input is a .csv file. "
            "Leave it out, or say --format csv."
        )
    return files


def _check_splits(documents: dict[str, int], config: PrepareConfig) -> None:
    if not documents["train"]:
        raise UserError("no document with text is left to train on. Check the input and the cleaning options.")
    wanted = {"train": 100.0, **config.held_out_percent()}
    empty = [split for split, percent in wanted.items() if percent and not documents[split]]
    if not empty:
        return
    found = f"the {' and the '.join(empty)} split would be empty: the input has {sum(documents.values())} documents"
    if config.split_by == "document":
        raise UserError(
            f"{found}, and whole documents are held out. "
            f"Use --split-by tail to hold out the last part of every document, or --{empty[0]}-percent 0."
        )
    raise UserError(
        f"{found}, each too short to share. "
        f"Use --split-by document to hold out whole ones, or --{empty[0]}-percent 0."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The command `python -m pipelines.prepare`; the exit code is 2 for bad input."""
    parser = argparse.ArgumentParser(prog="pipelines.prepare", description=arguments.DESCRIPTION, allow_abbrev=False)
    arguments.add_arguments(parser)
    options, beam_flags = parser.parse_known_args(argv)
    try:
        prepare(options.input, options.output, arguments.config_from(options), beam_flags)
    except Exception as error:
        told = user_error(error)
        if told is None:
            raise
        say(f"error: {told}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
