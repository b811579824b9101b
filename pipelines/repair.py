"""Makes again what a dataset has lost, byte for byte, and nothing else: `textgen repair`."""

from collections.abc import Sequence
from typing import NamedTuple

from pipelines import claims
from pipelines.plan import Plan, parse_plan
from pipelines.prepare import run_passes
from pipelines.runners import check_beam_flags
from pipelines.workspace import Workspace
from textgen import files
from textgen.config import TOKENIZER_FILE, VOCABULARY_FILE
from textgen.dataset.storage.manifest import DROPPED_NAME, FILE_NAME, INPUTS_FILE, SHARD_NAME, Manifest, read_manifest
from textgen.dataset.storage.verification import EXTRA, Problem, verify
from textgen.errors import UserError

_AGAIN = "Run the same `textgen prepare` again"
_REMEDIES = {
    FILE_NAME: "Put the dataset's own back, or delete it and prepare again: the same `textgen prepare` makes the "
    "dataset anew in its folder.",
    INPUTS_FILE: f"It names the files that all else is made from. {_AGAIN}, which writes it, then `textgen repair`.",
    TOKENIZER_FILE: f"It was given, and can't be made. {_AGAIN}, its --tokenizer-model too, then `textgen repair`.",
}
"""What to do about the files that can't be made from the others."""

_OR_ANEW = "or prepare the dataset anew, into another folder."


class Repair(NamedTuple):
    """What was done about each problem of a dataset.

    Attributes:
        made: these files were made again.
        removed: these were shards, or dropped documents, of another run.
        left: these are none of ours.
    """

    made: list[Problem]
    removed: list[Problem]
    left: list[Problem]


def repair(directory: str, beam_flags: Sequence[str] = ()) -> Repair:
    """Makes the damaged files of a dataset again from its input files, and removes those of other runs.

    A unit that is lost is read, tokenized and written again, those that are whole are not touched. A lost vocabulary
    is learned again from all units.

    Args:
        directory: the dataset's folder, local or a URL.
        beam_flags: Beam's own options.

    Raises:
        UserError: the folder is no dataset, a file is damaged that can't be made again, or an
            input file is not what it was.
    """
    check_beam_flags(beam_flags)
    done, workspace = _sorted(verify(directory)), Workspace(directory)
    plan = _checked_plan(directory, done.made) if done.made else None
    for problem in done.made + done.removed:
        files.remove(workspace.path(problem.file))
    if plan:
        _make(plan, workspace, beam_flags)
    # A run that was killed when all was made has left it.
    claims.release(workspace)
    return done


def _sorted(problems: list[Problem]) -> Repair:
    extra = [problem for problem in problems if problem.what == EXTRA]
    stale = [problem for problem in extra if any(name.fullmatch(problem.file) for name in (SHARD_NAME, DROPPED_NAME))]
    return Repair(
        made=[problem for problem in problems if problem not in extra],
        removed=stale,
        left=[problem for problem in extra if problem not in stale],
    )


def _checked_plan(folder: str, damage: list[Problem]) -> Plan:
    """What the dataset was made of, if the damage can be mended from it."""
    committed = read_manifest(folder)
    _check_possible(damage, committed)
    plan = _plan(folder, committed)
    plan.check_unchanged()
    return plan


def _check_possible(damage: list[Problem], committed: Manifest) -> None:
    """Raises UserError if the damage is in a file that can't be made from the others."""
    remedies = dict(_REMEDIES)
    if committed.config.given_vocabulary:
        remedies[VOCABULARY_FILE] = f"It was given, not learned. {_AGAIN}, its --vocabulary too."
    for problem in damage:
        if problem.file in remedies:
            raise UserError(f"{problem}. {remedies[problem.file]}")


def _plan(folder: str, committed: Manifest) -> Plan:
    """Returns the plan that the dataset was made from.

    Raises:
        UserError: another version made it.
    """
    plan = parse_plan(files.read(files.join(folder, INPUTS_FILE)), committed.config)
    if plan.fingerprint() != committed.fingerprint:
        raise UserError(
            f"{folder} was made by another version of textgen or of tensorflow-text, which may make other bytes. "
            f"Repair it with that version, {_OR_ANEW}"
        )
    return plan


def _make(plan: Plan, workspace: Workspace, beam_flags: Sequence[str]) -> None:
    """Makes what is missing.

    Raises:
        UserError: it came out otherwise than the manifest says, which stays as it was.
    """
    committed = read_manifest(workspace.directory)
    claims.claim(workspace.directory, plan)
    claims.reopen(workspace, committed)
    if run_passes(plan, workspace, beam_flags) != committed:
        files.write_atomically(workspace.path(FILE_NAME), committed.to_bytes())
        names = ", ".join(problem.file for problem in verify(workspace.directory))
        raise UserError(
            f"{names} came out otherwise than before: the content of an input file has changed, though its size and "
            f"time have not, or this machine computes otherwise. Put the file back as it was, {_OR_ANEW}"
        )
