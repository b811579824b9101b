"""Counts and shards of one unit of a dataset."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from textgen.config import SPLITS
from textgen.dataset.storage.shards import Blocks, Shard
from textgen.dataset.storage.split_counts import SplitCounts


@dataclasses.dataclass(kw_only=True, slots=True)
class UnitReport:
    """Counts and shards of one unit, or their totals over all units.

    Attributes:
        unit: index of the unit; -1 in a total.
        bytes: number of input bytes.
        documents: number of input items; each is kept, or rejected or dropped for one reason.
        kept: number of documents that gave tokens.
        dropped: number of rejected and dropped documents, by reason.
        replaced: number of documents in which invalid bytes were replaced by U+FFFD.
        replaced_characters: number of these U+FFFD.
        duplicates: indices of the dropped duplicates among the documents of the unit's reader, by reason. They depend
            on the whole corpus, so they cannot be recomputed from one unit.
        shared: number of kept held-out documents whose text another split has too, by split; counted where the input
            or a group chooses the splits.
        splits: counts of the kept documents, by split.
        shards: shards of the unit.
        dropped_sha256: SHA-256 of the file `dropped_name(unit)`; empty if there is none, and in a total.
    """

    unit: int = -1
    bytes: int = 0
    documents: int = 0
    kept: int = 0
    dropped: dict[str, int] = dataclasses.field(default_factory=dict)
    replaced: int = 0
    replaced_characters: int = 0
    duplicates: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    shared: dict[str, int] = dataclasses.field(default_factory=dict)
    splits: dict[str, SplitCounts] = dataclasses.field(default_factory=lambda: {s: SplitCounts() for s in SPLITS})
    shards: list[Shard] = dataclasses.field(default_factory=list)
    dropped_sha256: str = ""

    def drop(self, reason: str, count: int = 1) -> None:
        """Counts documents that were rejected or dropped.

        Args:
            reason: name of the reason.
            count: number of documents.
        """
        self.documents += count
        self.dropped[reason] = self.dropped.get(reason, 0) + count

    @classmethod
    def total(cls, reports: Iterable["UnitReport"]) -> "UnitReport":
        """Returns the sum of reports, with their shards in the order of split and unit."""
        total, dropped, shared = cls(), Counter[str](), Counter[str]()
        for report in reports:
            for name in ("bytes", "documents", "kept", "replaced", "replaced_characters"):
                setattr(total, name, getattr(total, name) + getattr(report, name))
            dropped.update(report.dropped)
            shared.update(report.shared)
            for split, counts in report.splits.items():
                total.splits[split].add(counts)
            total.shards.extend(report.shards)
        total.dropped, total.shared = dict(sorted(dropped.items())), dict(sorted(shared.items()))
        total.shards.sort(key=lambda shard: (SPLITS.index(shard.split), shard.unit))
        return total

    def to_json(self) -> dict[str, Any]:
        """Returns the report as plain JSON values."""
        # `dataclasses.asdict` would go through each of thousands of blocks, in a sixth of the time of writing shards.
        return {
            **_values(self),
            "dropped": dict(self.dropped),
            "duplicates": {reason: list(rows) for reason, rows in self.duplicates.items()},
            "shared": dict(self.shared),
            "splits": {split: _values(counts) for split, counts in self.splits.items()},
            "shards": [{**_values(shard), "blocks": shard.blocks.rows.tolist()} for shard in self.shards],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "UnitReport":
        """Returns the report that `to_json` saved."""
        splits = {split: SplitCounts(**counts) for split, counts in values["splits"].items()}
        return cls(**{**values, "splits": splits, "shards": [_shard(shard) for shard in values["shards"]]})


def _shard(values: Mapping[str, Any]) -> Shard:
    return Shard(**{**values, "blocks": Blocks(values["blocks"])})


def _values(of: UnitReport | SplitCounts | Shard) -> dict[str, Any]:
    # The slots of a dataclass are its fields.
    return {name: getattr(of, name) for name in of.__slots__}
