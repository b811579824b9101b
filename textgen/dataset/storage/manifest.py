"""The commit record of a dataset, written last: a folder without `manifest.json` is not a dataset.

Its last field is the SHA-256 of the lines before it, as `head -n -2 manifest.json | sha256sum` tells it, so that it
proves itself.
"""

import dataclasses
import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textgen.config import SPLITS, PrepareConfig, TextConfig, from_json, to_json
from textgen.dataset.storage.records import RecordFormat
from textgen.dataset.storage.shards import Block, Shard
from textgen.errors import UserError
from textgen.files import Folder, is_remote

FILE_NAME = "manifest.json"
INPUTS_FILE = "inputs.jsonl"
WORK_FOLDER = "_work"
"""Beside the dataset while a preparation makes it, and after one that was killed."""

SHARD_NAME = re.compile(rf"(?:{'|'.join(SPLITS)})-\d{{6,}}\.tfrecord")
DROPPED_NAME = re.compile(r"dropped-\d{6,}\.jsonl")

VERSION = 4
"""Raised when the bytes that the same configuration gives change."""

_PROOF = b' "sha256": "'
_END = b'"\n}\n'


def dropped_name(unit: int) -> str:
    """The file with what was dropped of a unit, where that is kept."""
    return f"dropped-{unit:06d}.jsonl"


@dataclasses.dataclass(kw_only=True)
class SplitCounts:
    """What a split holds.

    Attributes:
        documents: documents, or with `tail` parts of documents.
        characters: code points of the cleaned text, shared out by tokens where a document is cut.
        tokens: tokens, [BOS] and [EOS] not among them.
        unknown: tokens without an id of their own.
        pairs: (X, y) pairs.
    """

    documents: int = 0
    characters: int = 0
    tokens: int = 0
    unknown: int = 0
    pairs: int = 0

    def add(self, other: "SplitCounts") -> None:
        """Adds another count to this one."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


@dataclasses.dataclass(kw_only=True)
class UnitReport:
    """What became of one unit, or of all of them.

    Attributes:
        unit: the unit's number; -1 in a total.
        bytes: input bytes.
        documents: documents found in them; each is kept or dropped for one reason.
        kept: documents that gave tokens.
        dropped: how many were dropped, by reason.
        replaced: number of documents in which invalid bytes were replaced by U+FFFD.
        duplicates: the places, among the documents that the unit's reader gave, of those dropped as duplicates, by
            reason; what is found over the whole corpus can't be found again from one unit.
        splits: what the kept ones gave.
        shards: the files that hold it.
        dropped_sha256: SHA-256 of the file `dropped_name(unit)`; empty where there is none, and in a total.
    """

    unit: int = -1
    bytes: int = 0
    documents: int = 0
    kept: int = 0
    dropped: dict[str, int] = dataclasses.field(default_factory=dict)
    replaced: int = 0
    duplicates: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    splits: dict[str, SplitCounts] = dataclasses.field(default_factory=lambda: {s: SplitCounts() for s in SPLITS})
    shards: list[Shard] = dataclasses.field(default_factory=list)
    dropped_sha256: str = ""

    def drop(self, reason: str, count: int = 1) -> None:
        """Counts documents that were found and not kept."""
        self.documents += count
        self.dropped[reason] = self.dropped.get(reason, 0) + count

    @classmethod
    def total(cls, reports: Iterable["UnitReport"]) -> "UnitReport":
        """The sum of reports, with their shards in the order of split and unit."""
        total, dropped = cls(), Counter[str]()
        for report in reports:
            for name in ("bytes", "documents", "kept", "replaced"):
                setattr(total, name, getattr(total, name) + getattr(report, name))
            dropped.update(report.dropped)
            for split, counts in report.splits.items():
                total.splits[split].add(counts)
            total.shards.extend(report.shards)
        total.dropped = dict(sorted(dropped.items()))
        total.shards.sort(key=lambda shard: (SPLITS.index(shard.split), shard.unit))
        return total

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "UnitReport":
        """The report that `to_json` saved."""
        splits = {split: SplitCounts(**counts) for split, counts in values["splits"].items()}
        return cls(**{**values, "splits": splits, "shards": [_shard(shard) for shard in values["shards"]]})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a dataset is and what it was made of.

    Attributes:
        config: how it was made.
        fingerprint: SHA-256 of the config, the inputs and the code's version; equal ones have equal shards.
        vocabulary_size: ids, the four reserved ones included.
        vocabulary_sha256: SHA-256 of `vocabulary.jsonl`.
        tokens_sha256: SHA-256 of its tokens alone, whatever their counts; where it is equal, ids mean the same.
        inputs_sha256: SHA-256 of `inputs.jsonl`, which names the files that it was made from.
        units: what became of each unit.
    """

    config: PrepareConfig
    fingerprint: str
    vocabulary_size: int
    vocabulary_sha256: str
    tokens_sha256: str
    inputs_sha256: str
    units: tuple[UnitReport, ...]
    version: int = VERSION

    @functools.cached_property
    def total(self) -> UnitReport:
        """The accounts of all units, and all shards in the order of split and unit."""
        return UnitReport.total(self.units)

    def shards(self, split: str) -> list[Shard]:
        """The shards of a split, in the order of the corpus.

        Raises:
            UserError: there is no such split, or it is empty.
        """
        if split not in SPLITS:
            raise UserError(f"split is {split!r}; it must be one of: {', '.join(SPLITS)}.")
        shards = [shard for shard in self.total.shards if shard.split == split]
        if not shards:
            remedy = f"Prepare it with --{split}-percent above 0, or n" if split != "train" else "N"
            raise UserError(f"the {split} split of this dataset is empty. {remedy}ame another --split.")
        return shards

    @property
    def record_format(self) -> RecordFormat:
        """Format of the records in the shards."""
        return RecordFormat(self.config.window, self.config.stride, self.vocabulary_size)

    @property
    def text(self) -> TextConfig:
        """How the text was tokenized."""
        return self.config.text

    def to_bytes(self) -> bytes:
        """The file's content: JSON, a unit a line, and the proof of it."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        units = ",\n".join("  " + json.dumps(unit.to_json()) for unit in values.pop("units"))
        head = json.dumps({**values, "config": to_json(self.config)}, indent=1)
        told = f'{head[:-2]},\n "units": [\n{units}\n ],\n'.encode()
        return told + _PROOF + _digest(told) + _END


class DamageError(UserError):
    """A manifest that can't be read as one, or is not as it was written."""

    def __init__(self, found: str):
        super().__init__(
            f"{FILE_NAME} is damaged: {found}. Put a copy of it back, or prepare the dataset again: "
            "the same `textgen prepare` makes it anew in its folder."
        )


def parse(content: bytes) -> Manifest:
    """The manifest that `to_bytes` wrote.

    Raises:
        DamageError: the content is no manifest, differs from what was written, or its accounts do not close.
        UserError: it is one of another version.
    """
    try:
        values = json.loads(content)
        version = values["version"]
    except (ValueError, KeyError, TypeError):
        raise DamageError("it is not the JSON of a manifest") from None
    if version != VERSION:
        raise UserError(
            f"{FILE_NAME} has version {version}; this textgen reads version {VERSION}. "
            "Prepare the dataset again, into another folder."
        )
    told, _, proof = content.rpartition(_PROOF)
    if proof != _digest(told) + _END:
        raise DamageError("its last field must be the SHA-256 of the lines before it, and is not")
    del values["sha256"]
    units = tuple(UnitReport.from_json(unit) for unit in values.pop("units"))
    for report in units:
        _check_accounts(report)
    return Manifest(**{**values, "units": units, "config": from_json(PrepareConfig, values["config"])})


def read_manifest(directory: str | Path) -> Manifest:
    """The manifest of a dataset, in a folder of this machine or at a URL.

    Raises:
        UserError: the folder is no dataset.
        OSError: it can't be read.
    """
    try:
        content = Folder(directory).read(FILE_NAME)
    except FileNotFoundError:
        # A bucket has no folders that could be there without files.
        is_there = is_remote(directory) or Path(directory).exists()
        what = f"is not a dataset: it has no {FILE_NAME}" if is_there else "is not there"
        raise UserError(f"{directory} {what}. Make one with `textgen prepare --output {directory}`.") from None
    return parse(content)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _check_accounts(report: UnitReport) -> None:
    """Raises DamageError unless a unit's documents, the pairs of its splits and its shards' blocks add up."""
    found = {f"the documents of unit {report.unit}": (report.documents, report.kept + sum(report.dropped.values()))}
    for split, counts in report.splits.items():
        pairs = sum(shard.pairs for shard in report.shards if shard.split == split)
        found[f"the {split} pairs of unit {report.unit}"] = (counts.pairs, pairs)
    for shard in report.shards:
        for name in ("bytes", "records", "pairs"):
            parts = sum(getattr(block, name) for block in shard.blocks)
            found[f"the {name} of {shard.name}"] = (getattr(shard, name), parts)
    for what, (total, parts) in found.items():
        if total != parts:
            raise DamageError(f"{what} are {total:,}, and their parts add up to {parts:,}")


def _shard(values: Mapping[str, Any]) -> Shard:
    return Shard(**{**values, "blocks": tuple(Block(*block) for block in values["blocks"])})
