"""Accounts of the files that were found among the inputs: those found are those read and those passed over."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from textgen.config.schema import Record, Text
from textgen.config.strict_json import parse_json_lines

PASSED_OVER_FILE = "passed_over.jsonl"
"""File of a dataset that names the files that were found and not read; missing where there are none."""

MAX_BYTES = 1 << 30
"""Maximum size of the file, which has about 100 bytes per file."""

_MAX_LINE_BYTES = 1 << 20

_FILE = Record(
    {
        "path": Text(max_length=1 << 17, is_path=True),
        "reason": Text(max_length=200),
        "detail": Text(max_length=1 << 17, is_path=True),
    }
)


class PassedOver(NamedTuple):
    """A file that is not read.

    Attributes:
        path: path or URL; that of a folder, none of whose files are known, ends in a slash.
        reason: name of the reason.
        detail: more about it, such as the operating system's message; may be empty.
    """

    path: str
    reason: str
    detail: str = ""


def count_reasons(passed_over: Iterable[PassedOver]) -> dict[str, int]:
    """Returns the number of files that are passed over, by reason."""
    return dict(sorted(Counter(each.reason for each in passed_over).items()))


def shown_accounts(files: int, passed_over: Mapping[str, int]) -> str:
    """Returns the accounts in one line.

    Args:
        files: number of files that are read.
        passed_over: number of the others, by reason.

    >>> shown_accounts(1, {"empty": 2})
    '3 found: 1 read, passed over: 2 empty'
    """
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in passed_over.items()) or "none"
    return f"{files + sum(passed_over.values()):,} found: {files:,} read, passed over: {reasons}"


def shown(path: str) -> str:
    """Returns a path as it is printed on one line: in quotation marks if it has characters that do not print.

    >>> shown("a b.txt"), shown("a\\nb.txt")
    ('a b.txt', "'a\\\\nb.txt'")
    """
    return path if path.isprintable() else ascii(path)


def to_lines(passed_over: Iterable[PassedOver]) -> bytes:
    """Returns the content of `passed_over.jsonl`: an object with path, reason and detail for each file."""
    return "".join(json.dumps(each._asdict()) + "\n" for each in passed_over).encode()


def parse(lines: bytes, *, count: int | None = None) -> list[PassedOver]:
    """Returns the files that `to_lines` wrote.

    Args:
        lines: content of `passed_over.jsonl`.
        count: number of files that it must name; None for any.

    Raises:
        SchemaError: it names more or fewer files, or a line is not as declared.
    """
    rows = parse_json_lines(lines, _FILE, max_bytes=MAX_BYTES, max_line_bytes=_MAX_LINE_BYTES, lines=count)
    return [PassedOver(**row) for row in rows]
