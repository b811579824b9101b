"""Accounts of the files that were found among the inputs: those found are those read and those passed over."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

PASSED_OVER_FILE = "passed_over.jsonl"
"""File of a dataset that names the files that were found and not read; missing where there are none."""


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


def parse(lines: bytes) -> list[PassedOver]:
    """Returns the files that `to_lines` wrote."""
    return [PassedOver(**json.loads(line)) for line in lines.decode().splitlines()]
