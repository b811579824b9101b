"""Judges the files in which invalid bytes were replaced, when all of them have been read and nothing is published."""

from collections.abc import Iterable
from typing import Any

from pipelines.plan import Plan
from pipelines.rejected import say_rejections, unit_results
from pipelines.workspace import Workspace
from textgen import files
from textgen.console import printable, say
from textgen.corpus.archives import open_content
from textgen.corpus.encoding_choice import AUTO, FEW, FLAGGED_REPLACED, MAX_REPLACED, invalid_text
from textgen.corpus.encoding_detection import OR_AUTO, Invalid, encoding_remedy, invalid_bytes
from textgen.corpus.readers.base import InputFile
from textgen.errors import UserError

_MAX_FLAGGED = 10
_PART_BYTES = 1 << 16
_MAX_PARTS = 1 << 12
_MAX_CUT = 3
"""Maximum number of invalid sequences that a character gives that is cut at the start of a part."""


def check_reading(plan: Plan, workspace: Workspace, *, is_complete: bool) -> None:
    """Prints which items were rejected, and in which files invalid bytes were replaced.

    Args:
        plan: the plan.
        workspace: the output folder, in which units have been read.
        is_complete: whether all units have been read.

    Raises:
        UserError: too many characters of a file were replaced; see `check_replaced`.
    """
    say_rejections(workspace)
    if is_complete:
        check_replaced(plan, workspace)


def check_replaced(plan: Plan, workspace: Workspace) -> None:
    """Prints the files of which more than one character in a thousand was replaced.

    Args:
        plan: the plan.
        workspace: the output folder, in which all units have been read.

    Raises:
        UserError: more than 5 percent of the characters of a file were replaced, and `on_invalid` is "replace-few".
    """
    found = invalid_characters(unit_results(workspace))
    flagged = sorted(
        (file for file in plan.files if found.get(file.path, Invalid(0, 1)).share > FLAGGED_REPLACED),
        key=lambda file: (-found[file.path].share, file.path),
    )
    if not flagged:
        return
    worst = flagged[0]
    if plan.config.on_invalid == FEW and found[worst.path].share > MAX_REPLACED:
        message = invalid_text(worst.path, found[worst.path], _invalid_part(worst), worst.encoding)
        # Detection has seen only the start of the file.
        raise UserError(message.replace(OR_AUTO, "") if plan.config.encoding == AUTO else message)
    for file in flagged[:_MAX_FLAGGED]:
        invalid = found[file.path]
        say(
            f"{printable(file.path)}: {invalid.share:.1%} of its characters "
            f"({invalid.replaced:,} of {invalid.characters:,}) "
            f"were not valid {file.encoding} and are replaced by U+FFFD. {_remedy(file)}"
        )
    if len(flagged) > _MAX_FLAGGED:
        say(f"So were more than 0.1% of the characters of {len(flagged) - _MAX_FLAGGED:,} more files.")


def invalid_characters(results: Iterable[dict[str, Any]]) -> dict[str, Invalid]:
    """Returns the numbers of invalid characters of files by path, given the results of their units."""
    found: dict[str, Invalid] = {}
    for result in results:
        for path, (replaced, characters) in result["characters"].items():
            before = found.get(path, Invalid(0, 0))
            found[path] = Invalid(before.replaced + replaced, before.characters + characters)
    return found


def _invalid_part(file: InputFile) -> bytes:
    """Returns the first part of a file that is not valid UTF-8, or its start if there is none within the limit."""
    with open_content(file, files.open_file) as opened:
        start = block = opened.read(_PART_BYTES)
        for _ in range(_MAX_PARTS):
            if not block or invalid_bytes(block, "utf-8", is_whole=False).replaced > _MAX_CUT:
                break
            block = opened.read(_PART_BYTES)
    return block or start


def _remedy(file: InputFile) -> str:
    if file.encoding == "utf-8":
        return encoding_remedy(_invalid_part(file))
    return "Give another --encoding if it is not that."
