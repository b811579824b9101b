"""Checks that the numbers of a manifest agree with each other, since a stranger may have written them."""

from collections.abc import Iterator, Sequence

from textgen.config import SPLITS, PrepareConfig
from textgen.config.schema import MAX_WHOLE, SchemaError, shown
from textgen.dataset.storage.split_counts import SplitCounts
from textgen.dataset.storage.unit_report import UnitReport

_Sum = tuple[str, int, int]
"""Names of some things, their number, and the sum of the numbers of their parts."""

_Bound = tuple[str, int, int, int]
"""Names of some things, their number, and the lowest and the highest that the other numbers allow."""


def check(units: Sequence[UnitReport], config: PrepareConfig) -> None:
    """Checks the numbers of all units of a dataset.

    Args:
        units: the reports, in order.
        config: settings of the dataset.

    Raises:
        SchemaError: numbers contradict each other, or are too large together.
    """
    for report in units:
        check_unit(report)
        _require_sums(_documents(report, config))
        _require_bounds(_pairs(report, config))
    total = UnitReport.total(units)
    for name, number in (("bytes", total.bytes), ("documents", total.documents), *_of_splits(total)):
        if number > MAX_WHOLE:
            raise SchemaError(f"the {name} of all units are {number:,}; they must be at most {MAX_WHOLE:,}")


def check_unit(report: UnitReport) -> None:
    """Checks the numbers of a unit, as far as they do not depend on the settings.

    Raises:
        SchemaError: numbers contradict each other.
    """
    _require_sums(_sums(report))
    _require_bounds(_bounds(report))
    for reason, indices in report.duplicates.items():
        what = f"the indices of the duplicates of unit {report.unit} ({shown(reason)})"
        if any(a >= b for a, b in zip(indices, indices[1:], strict=False)):
            raise SchemaError(f"{what} do not rise; each document must be listed once, in order")
        if indices and indices[-1] >= report.documents:
            raise SchemaError(f"{what} end with {indices[-1]:,}; the unit has {report.documents:,} documents")


def _sums(report: UnitReport) -> Iterator[_Sum]:
    yield f"the documents of unit {report.unit}", report.documents, report.kept + sum(report.dropped.values())
    for split in SPLITS:
        counts = report.splits.get(split, SplitCounts())
        pairs = sum(shard.pairs for shard in report.shards if shard.split == split)
        yield f"the {split} pairs of unit {report.unit}", counts.pairs, pairs
    for shard in report.shards:
        parts = shard.blocks.total
        for name in ("bytes", "records", "pairs"):
            yield f"the {name} of {shard.name}", getattr(shard, name), getattr(parts, name)


def _documents(report: UnitReport, config: PrepareConfig) -> Iterator[_Sum]:
    if config.split_by == "document":
        documents = sum(counts.documents for counts in report.splits.values())
        yield f"the kept documents of unit {report.unit}", report.kept, documents


def _bounds(report: UnitReport) -> Iterator[_Bound]:
    yield f"the documents with replaced characters of unit {report.unit}", report.replaced, 0, report.documents
    for split, counts in report.splits.items():
        yield f"the {split} documents of unit {report.unit}", counts.documents, 0, report.kept
        yield f"the unknown {split} tokens of unit {report.unit}", counts.unknown, 0, counts.tokens
    for split, shared in report.shared.items():
        documents = report.splits.get(split, SplitCounts()).documents
        yield f"the shared {split} documents of unit {report.unit}", shared, 0, documents
    for shard in report.shards:
        yield f"the blocks of {shard.name}", len(shard.blocks), 1, shard.records


def _pairs(report: UnitReport, config: PrepareConfig) -> Iterator[_Bound]:
    """Yields the bounds of the pairs: every id of a sequence but the first is a target, or every `stride`-th."""
    boundaries = 2 * config.boundaries
    # Of the parts of a divided document, the first one has [BOS], and the last one has [EOS].
    fewest = boundaries if config.split_by == "document" else 0
    for split, counts in report.splits.items():
        documents, stride = counts.documents, config.stride
        lowest = max(0, counts.tokens + documents * (fewest - 1))
        highest = max(0, counts.tokens + documents * (boundaries - 1) + documents * (stride - 1))
        what = f"the {split} pairs of unit {report.unit}"
        yield what, counts.pairs, -(-lowest // stride), highest // stride


def _of_splits(total: UnitReport) -> Iterator[tuple[str, int]]:
    for counts in total.splits.values():
        yield from (("pairs", counts.pairs), ("tokens", counts.tokens), ("characters", counts.characters))


def _require_sums(sums: Iterator[_Sum]) -> None:
    for what, total, parts in sums:
        if total != parts:
            raise SchemaError(f"{what} are {total:,}, and their parts add up to {parts:,}")


def _require_bounds(bounds: Iterator[_Bound]) -> None:
    for what, number, lowest, highest in bounds:
        if not lowest <= number <= highest:
            raise SchemaError(f"{what} are {number:,}; by the other numbers they must be {lowest:,} to {highest:,}")
