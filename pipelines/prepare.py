"""Prepares a dataset: `textgen prepare`, or on a cluster's launcher `python -m pipelines.prepare`."""

import importlib
import sys
from collections.abc import Sequence

from pipelines import claims
from pipelines.passes import Passes
from pipelines.plan import Plan, make_plan
from pipelines.runners import check_beam_flags
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig
from textgen.console import say
from textgen.dataset import Manifest


def prepare(
    inputs: Sequence[str],
    output: str,
    config: PrepareConfig,
    beam_flags: Sequence[str] = (),
    *,
    vocabulary: str | None = None,
    tokenizer_model: str | None = None,
) -> Manifest:
    """Makes a dataset of text files; what an earlier run of the same call did is not done again.

    Args:
        inputs: files, folders and globs, as paths or URLs.
        output: the dataset's folder, a path or URL.
        config: what to make of them.
        beam_flags: Beam's own options, such as `--runner=DataflowRunner`.
        vocabulary: path of a file of tokens, in place of learning them.
        tokenizer_model: path of the model of a tokenizer that comes with one.

    Returns:
        The manifest of the dataset.

    Raises:
        UserError: the input cannot be read as asked, the folder holds something else, or a held-out split would
            be empty.
    """
    check_beam_flags(beam_flags)
    plan = make_plan(inputs, config, vocabulary=vocabulary, tokenizer_model=tokenizer_model)
    workspace = claims.claim(output, plan)
    dataset = claims.committed(workspace)
    if dataset:
        if claims.is_complete(workspace, dataset):
            claims.release(workspace)
            say(f"{output} is complete already; nothing to do.")
            return dataset
        say(f"{output} has lost files; what they came from is done again.")
        claims.reopen(workspace, dataset)
    return run_passes(plan, workspace, beam_flags)


def run_passes(plan: Plan, workspace: Workspace, beam_flags: Sequence[str] = ()) -> Manifest:
    """Turns a claimed folder into a committed dataset, and returns its manifest.

    Args:
        plan: the plan that has claimed the folder.
        workspace: the folder.
        beam_flags: Beam's own options.

    Raises:
        UserError: a document cannot be read as asked, or a held-out split would be empty.
    """
    passes = Passes(plan, workspace, beam_flags)
    passes.tokenize()
    if passes.needs_vocabulary:
        passes.find_duplicates()
        passes.learn_vocabulary()
    passes.write_shards()
    claims.release(workspace)
    dataset = claims.committed(workspace)
    assert dataset is not None, "the last pass ends with the manifest"
    return dataset


if __name__ == "__main__":
    # The command line stands on a floor above, so it is looked up by its name.
    sys.exit(importlib.import_module("textgen.cli").main(["prepare", *sys.argv[1:]]))
