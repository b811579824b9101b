"""Collects and prints which input items were left out, and why: counts by reason and some samples."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.document_files import unit_documents
from pipelines.workspace import TOKENS, Workspace
from textgen.console import excerpt, printable, say
from textgen.corpus.readers.base import Rejected

SAMPLES = 2
"""Number of rejected items that are shown."""

_SHOWN = 60
"""Maximum number of characters of a sample."""


class RejectedSamples:
    """Collects a few rejected items, the more telling ones first.

    Attributes:
        found: descriptions of the items.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self._reasons: Counter[str] = Counter()

    def add(self, path: str, item: Rejected) -> None:
        """Adds an item, unless there are enough, or it holds nothing."""
        if item.content and sum(self._reasons.values()) < SAMPLES:
            self._reasons[item.reason] += 1
            self.found.append(describe(path, item))


def describe(path: str, item: Rejected) -> str:
    """Describes a rejected item in one line.

    >>> describe("a.csv", Rejected("malformed row", b"1,2,3", "3 cells instead of 2"))
    "a.csv, malformed row (3 cells instead of 2): '1,2,3'"
    """
    text = excerpt(item.content[: 8 * _SHOWN].decode(errors="replace"), _SHOWN)
    note = f" ({item.note})" if item.note else ""
    return f"{printable(path)}, {item.reason}{note}: {text!r}"


class Rejections(NamedTuple):
    """Rejected items of all units.

    Attributes:
        counts: number of items by reason.
        samples: descriptions of some of them.
    """

    counts: Mapping[str, int]
    samples: Sequence[str]

    def __str__(self) -> str:
        """The counts, and each sample after a semicolon."""
        return "; ".join([_listed(self.counts), *self.samples])


def unit_results(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """Yields the results of the first pass, in the order of the units."""
    return (result for _, result in workspace.each_recorded(TOKENS))


def rejections(workspace: Workspace) -> Rejections:
    """Returns what the first pass rejected."""
    counts, samples = Counter[str](), list[str]()
    for result in unit_results(workspace):
        counts.update(result.get("rejected", {}))
        samples += result.get("samples", [])
    return Rejections(counts, samples[:SAMPLES])


def say_rejections(workspace: Workspace) -> None:
    """Prints what the first pass rejected, if it did."""
    found = rejections(workspace)
    if found.counts:
        total = sum(found.counts.values())
        say(f"left out {total:,} item{'s' * (total != 1)} of the input: {found}")


def nothing_left(workspace: Workspace) -> str:
    """Returns why no document is left: the rejected items and the dropped documents, by reason."""
    found = rejections(workspace)
    dropped = Counter[str]()
    for unit in sorted(workspace.recorded_units(TOKENS)):
        dropped.update(reason for reason in unit_documents(workspace, unit).reasons.tolist() if reason)
    parts = [
        *([f"rejected: {found}"] if found.counts else []),
        *([f"dropped: {_listed(dropped)}"] if dropped else []),
    ]
    return "; ".join(parts) or "the files hold no documents, as a table of only a header row or a file of blank lines"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items(), key=lambda one: -one[1]))
