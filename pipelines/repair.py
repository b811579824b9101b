"""Restores the missing and damaged files of a dataset byte for byte: `textgen repair`."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipelines import claims
from pipelines.plan import Plan
from pipelines.prepare import run_passes
from pipelines.repair_plan import OR_PREPARE_NEW, repair_plan
from pipelines.runners import check_beam_flags
from pipelines.workspace import Workspace
from textgen import files
from textgen.dataset.storage.manifest import DROPPED_NAME, FILE_NAME, SHARD_NAME, read_manifest
from textgen.dataset.storage.verification import EXTRA, Problem, verify
from textgen.errors import UserError


class Repair(NamedTuple):
    """Problems of a dataset by the action that was taken.

    Attributes:
        made: missing or damaged files, which were made again.
        removed: files of shards or dropped documents from other runs, which were removed.
        left: other extra files, which were left as they are.
    """

    made: list[Problem]
    removed: list[Problem]
    left: list[Problem]


def repair(
    directory: str,
    beam_flags: Sequence[str] = (),
    *,
    inputs: Sequence[str] = (),
    yes: bool = False,
    ask: Callable[[str], bool] | None = None,
) -> Repair:
    """Makes the missing and damaged files of a dataset again from its input files, and removes files of other runs.

    Only damaged units are read, tokenized and written again. A lost vocabulary is learned again from all units. The
    input files are those that the dataset names, if the user agrees to them; see `repair_plan`.

    Args:
        directory: path or URL of the dataset's folder.
        beam_flags: Beam's own options.
        inputs: the inputs of the dataset, named again; empty if they are not.
        yes: whether to read any file that the dataset names.
        ask: asks the user whether to read them; None if nobody can be asked.

    Returns:
        The problems that were found, by the action that was taken.

    Raises:
        UserError: the folder is no dataset or has a link in `_work`, a damaged file can't be made again, the user
            does not agree to the input files, one has changed, or a file that was made again differs from the
            original.
    """
    check_beam_flags(beam_flags, [directory, *inputs])
    workspace = Workspace(directory)
    workspace.require_no_links()
    workspace.remove_unfinished()
    done = _sorted(verify(directory))
    plan = repair_plan(directory, done.made, inputs=inputs, yes=yes, ask=ask) if done.made else None
    for problem in done.made + done.removed:
        files.remove_file(workspace.path(problem.file))
    if plan:
        _make(plan, directory, beam_flags)
    # A run that was killed after it wrote its last file has left its working files.
    claims.release(workspace)
    return done


def _sorted(problems: list[Problem]) -> Repair:
    """Returns problems by the action to take."""
    extra = [problem for problem in problems if problem.what == EXTRA]
    stale = [problem for problem in extra if any(name.fullmatch(problem.file) for name in (SHARD_NAME, DROPPED_NAME))]
    return Repair(
        made=[problem for problem in problems if problem not in extra],
        removed=stale,
        left=[problem for problem in extra if problem not in stale],
    )


def _make(plan: Plan, directory: str, beam_flags: Sequence[str]) -> None:
    """Makes the missing files of the dataset.

    Raises:
        UserError: a file differs from the manifest, which is restored.
    """
    committed = read_manifest(directory)
    workspace = claims.claim(directory, plan)
    claims.reopen(workspace, committed)
    if run_passes(plan, workspace, beam_flags) != committed:
        files.write_atomically(workspace.path(FILE_NAME), committed.to_bytes())
        names = ", ".join(problem.file for problem in verify(directory))
        raise UserError(
            f"{names} differs from the original: the content of an input file has changed without its size and time, "
            f"or this machine computes other results. Restore the file, {OR_PREPARE_NEW}"
        )
