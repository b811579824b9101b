"""Prepares a dataset: `textgen prepare`, or `python -m pipelines.prepare` from a cluster's launcher."""

import importlib
import sys
from collections.abc import Sequence

from pipelines import claims
from pipelines.invalid_text import check_reading
from pipelines.passes import Passes
from pipelines.plan import Plan, make_plan
from pipelines.recorded_plan import as_spelled_before
from pipelines.runners import check_beam_flags
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig
from textgen.console import printable, say
from textgen.dataset import Manifest


def prepare(
    inputs: Sequence[str],
    output: str,
    config: PrepareConfig,
    beam_flags: Sequence[str] = (),
    *,
    validation_input: Sequence[str] = (),
    test_input: Sequence[str] = (),
    vocabulary: str | None = None,
    tokenizer_model: str | None = None,
) -> Manifest:
    """Makes a dataset from text files; resumes the work of an earlier, interrupted call with the same arguments.

    Args:
        inputs: files, folders and globs, as paths or URLs.
        output: path or URL of the dataset's folder.
        config: settings of the preparation.
        beam_flags: Beam's own options, such as `--runner=DataflowRunner`.
        validation_input: files of the validation split, named as the inputs are; empty to hold out some of these.
        test_input: files of the test split, likewise.
        vocabulary: path or URL of a file of tokens to use; None to learn the vocabulary.
        tokenizer_model: path or URL of the tokenizer's model file; None for a tokenizer without one.

    Returns:
        The manifest of the dataset.

    Raises:
        UserError: the input cannot be read with these settings, the output folder holds other files, a Beam option is
            unknown, or a requested split would be empty.
    """
    check_beam_flags(beam_flags, [output, *inputs, *validation_input, *test_input])
    Workspace(output).require_writable()
    plan = make_plan(
        inputs,
        config,
        output=output,
        validation_input=validation_input,
        test_input=test_input,
        vocabulary=vocabulary,
        tokenizer_model=tokenizer_model,
    )
    plan = as_spelled_before(plan, output)
    workspace = claims.claim(output, plan)
    dataset = claims.committed(workspace)
    if dataset:
        if claims.is_complete(workspace, dataset):
            claims.release(workspace)
            say(f"{printable(output)} is complete already; nothing to do.")
            return dataset
        say(f"{printable(output)} has lost files; what they came from is done again.")
        claims.reopen(workspace, dataset)
    return run_passes(plan, workspace, beam_flags)


def run_passes(plan: Plan, workspace: Workspace, beam_flags: Sequence[str] = ()) -> Manifest:
    """Runs all passes that a claimed folder still needs, up to the manifest that commits the dataset.

    Args:
        plan: the plan that has claimed the folder.
        workspace: the output folder.
        beam_flags: Beam's own options.

    Returns:
        The manifest of the dataset.

    Raises:
        UserError: a document cannot be read with these settings, too many characters of a file are invalid, a
            requested split would be empty, or the folder holds the dataset of another plan at the end.
    """
    passes = Passes(plan, workspace, beam_flags)
    passes.tokenize()
    check_reading(plan, workspace, is_complete=passes.needs_vocabulary)
    if passes.needs_vocabulary:
        passes.find_duplicates()
        passes.learn_vocabulary()
    passes.write_shards()
    claims.release(workspace)
    dataset = claims.committed(workspace)
    assert dataset is not None, "the last pass ends with the manifest"
    claims.require_own(workspace, dataset, plan)
    return dataset


if __name__ == "__main__":
    # The command line is a higher layer, which this module must not import by a statement.
    sys.argv.insert(1, "prepare")
    importlib.import_module("textgen.cli").main()
