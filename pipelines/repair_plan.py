"""Checks whether the damaged files of a dataset can be made again, and plans it."""

from collections.abc import Callable, Sequence

from pipelines.consent import require_consent
from pipelines.plan import Plan
from pipelines.recorded_plan import parse_plan
from textgen.config import TOKENIZER_FILE, VOCABULARY_FILE
from textgen.dataset.storage import inputs_schema
from textgen.dataset.storage.manifest import (
    FILE_NAME,
    INPUTS_FILE,
    PASSED_OVER_FILE,
    VERSION,
    Manifest,
    read_manifest,
)
from textgen.dataset.storage.verification import Problem
from textgen.errors import UserError
from textgen.folder import Folder

_AGAIN = "Run the same `textgen prepare` again"
_REMEDIES = {
    FILE_NAME: "Restore the dataset's own copy, or delete it and run the same `textgen prepare` again, which makes "
    "the dataset again in its folder.",
    INPUTS_FILE: f"It names the input files. {_AGAIN}, which writes it, then `textgen repair`.",
    PASSED_OVER_FILE: f"It names the files that were not read. {_AGAIN}, which writes it.",
    TOKENIZER_FILE: f"It was given as an option. {_AGAIN} with the same --tokenizer-model, then `textgen repair`.",
}
"""Remedies for damage of files that can't be made from the others, by file name."""

OR_PREPARE_NEW = "or prepare a new dataset in another folder."


def repair_plan(
    folder: str,
    damage: Sequence[Problem],
    *,
    inputs: Sequence[str] = (),
    yes: bool = False,
    ask: Callable[[str], bool] | None = None,
) -> Plan:
    """Returns the plan of a dataset after checking that damaged files can be made again from its input files.

    No input file is looked at before the user agrees; see `require_consent`.

    Args:
        folder: path or URL of the dataset's folder.
        damage: the damaged and missing files.
        inputs: the inputs of the dataset, named again; empty if they are not.
        yes: whether to read any file that the dataset names.
        ask: asks the user whether to read them; None if nobody can be asked.

    Raises:
        UserError: a file can't be made again, another version made the dataset, the user does not agree to the input
            files, or one of them has changed.
    """
    committed = read_manifest(folder)
    _check_possible(damage, committed)
    plan = _recorded_plan(folder, committed)
    require_consent(plan, folder, given=inputs, yes=yes, ask=ask)
    plan.check_unchanged()
    return plan


def _check_possible(damage: Sequence[Problem], committed: Manifest) -> None:
    """Raises UserError if a damaged file can't be made from the others."""
    remedies = dict(_REMEDIES)
    if committed.config.given_vocabulary:
        remedies[VOCABULARY_FILE] = f"It was given as an option. {_AGAIN} with the same --vocabulary."
    for problem in damage:
        if problem.file in remedies:
            raise UserError(f"{problem}. {remedies[problem.file]}")


def _recorded_plan(folder: str, committed: Manifest) -> Plan:
    """Returns the plan from which the dataset was made.

    Raises:
        UserError: another version of textgen or tensorflow-text made it, or `inputs.jsonl` is not its own.
    """
    other_version = UserError(
        f"{folder} was made by another version of textgen or of tensorflow-text, which may write other bytes. "
        f"Repair it with that version, {OR_PREPARE_NEW}"
    )
    if committed.version != VERSION:
        raise other_version
    content = Folder(folder).read(INPUTS_FILE, max_bytes=inputs_schema.MAX_BYTES)
    plan = parse_plan(content, committed.config, files=committed.files)
    if plan.fingerprint() != committed.fingerprint:
        raise other_version
    return plan
