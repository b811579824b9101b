"""Manifest of a dataset: a commit record that is written last. A folder without `manifest.json` is not a dataset.

Its last field is the SHA-256 of the lines before it, which `head -n -2 manifest.json | sha256sum` prints, so that
damage to the manifest itself is detected.
"""

import dataclasses
import functools
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textgen.config import ALL_SPLITS, SPLITS, PrepareConfig, TextConfig, VocabularyRecord, to_json
from textgen.config.schema import SchemaError, shown
from textgen.dataset.storage import manifest_schema
from textgen.dataset.storage.passed_over import PASSED_OVER_FILE, shown_accounts
from textgen.dataset.storage.records import RecordFormat
from textgen.dataset.storage.shards import Block, Shard
from textgen.dataset.storage.split_counts import SplitCounts, sum_counts
from textgen.errors import UserError
from textgen.files import expand_home, is_remote
from textgen.folder import Folder

FILE_NAME = "manifest.json"
INPUTS_FILE = "inputs.jsonl"
WORK_FOLDER = "_work"
"""Folder of intermediate files, in the dataset's folder while a preparation runs, and after one that was killed."""

SHARD_NAME = re.compile(rf"(?:{'|'.join(SPLITS)})-\d{{6,}}\.tfrecord")
DROPPED_NAME = re.compile(r"dropped-\d{6,}\.jsonl")

VERSION = 5
"""Version of the dataset's bytes, incremented when the same configuration gives other bytes."""

_READABLE = (4, VERSION)
"""Versions whose datasets can be read; version 4 lists its inputs in another form, which only a repair reads."""

MAX_BYTES = manifest_schema.MAX_BYTES

_PROOF = b' "sha256": "'
_END = b'"\n}\n'


def dropped_name(unit: int) -> str:
    """Returns the name of the file with the dropped documents of a unit, which is written only on request."""
    return f"dropped-{unit:06d}.jsonl"


@dataclasses.dataclass(kw_only=True)
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
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "UnitReport":
        """Returns the report that `to_json` saved."""
        splits = {split: SplitCounts(**counts) for split, counts in values["splits"].items()}
        return cls(**{**values, "splits": splits, "shards": [_shard(shard) for shard in values["shards"]]})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """Description of a dataset: its settings, its inputs and its files.

    Attributes:
        config: settings of the preparation.
        fingerprint: SHA-256 of config, inputs and the code's version; it is equal only where the shards are.
        vocabulary_size: number of ids, the four reserved ones included.
        vocabulary_sha256: SHA-256 of `vocabulary.jsonl`.
        tokens_sha256: SHA-256 of the vocabulary's tokens without their counts; if it is equal, ids mean the same.
        tokenizer_sha256: SHA-256 of `tokenizer.json`; empty if there is none.
        inputs_sha256: SHA-256 of `inputs.jsonl`, which lists the input files.
        files: number of input files; 0 in a manifest of version 4.
        passed_over: number of files that were found and not read, by reason; `passed_over.jsonl` names them.
        passed_over_sha256: SHA-256 of that file; empty if there is none.
        warnings: what to know about the dataset before training, one sentence each.
        units: report of each unit.
        version: version of the dataset's bytes, see `VERSION`.
    """

    config: PrepareConfig
    fingerprint: str
    vocabulary_size: int
    vocabulary_sha256: str
    tokens_sha256: str
    inputs_sha256: str
    units: tuple[UnitReport, ...]
    files: int = 0
    passed_over: dict[str, int] = dataclasses.field(default_factory=dict)
    passed_over_sha256: str = ""
    tokenizer_sha256: str = ""
    warnings: list[str] = dataclasses.field(default_factory=list)
    version: int = VERSION

    @functools.cached_property
    def total(self) -> UnitReport:
        """Sum of the reports of all units, with all shards in the order of split and unit."""
        return UnitReport.total(self.units)

    def shards(self, split: str) -> list[Shard]:
        """Returns the shards of a split, in the order of the corpus; "all" gives those of all splits.

        Raises:
            UserError: the split does not exist or is empty.
        """
        if split == ALL_SPLITS:
            return self.total.shards
        if split not in SPLITS:
            raise UserError(f"split is {split!r}; it must be one of: {', '.join((*SPLITS, ALL_SPLITS))}.")
        shards = [shard for shard in self.total.shards if shard.split == split]
        if not shards:
            remedy = f"Prepare it with --{split}-percent above 0, or n" if split != "train" else "N"
            raise UserError(f"the {split} split of this dataset is empty. {remedy}ame another --split, or all.")
        return shards

    def counts(self, split: str) -> SplitCounts:
        """Returns the counts of a split; "all" gives their sum over all splits."""
        return sum_counts(self.total.splits.values()) if split == ALL_SPLITS else self.total.splits[split]

    @property
    def vocabulary(self) -> VocabularyRecord:
        """What the manifest records of the vocabulary."""
        return VocabularyRecord(self.vocabulary_size, self.vocabulary_sha256, self.tokens_sha256)

    @property
    def record_format(self) -> RecordFormat:
        """Format of the records in the shards."""
        return RecordFormat(self.config.window, self.config.stride, self.vocabulary_size)

    @property
    def text(self) -> TextConfig:
        """Settings of cleaning and tokenization."""
        return self.config.text

    def file_accounts(self) -> str:
        """Returns the numbers of files that were found, read and passed over, in one line."""
        named = f"; {PASSED_OVER_FILE} names them" if self.passed_over else ""
        return shown_accounts(self.files, self.passed_over) + named

    def to_bytes(self) -> bytes:
        """Returns the content of the file: JSON with one unit per line, and its SHA-256 as the last field."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        units = ",\n".join("  " + json.dumps(unit.to_json()) for unit in values.pop("units"))
        head = json.dumps({**values, "config": to_json(self.config)}, indent=1)
        body = f'{head[:-2]},\n "units": [\n{units}\n ],\n'.encode()
        return body + _PROOF + _digest(body) + _END


class DamageError(UserError):
    """A manifest that cannot be parsed, or that differs from what was written."""

    def __init__(self, found: str):
        super().__init__(
            f"{FILE_NAME} is damaged: {found}. Restore a copy of it, or run the same `textgen prepare` "
            "again, which makes the dataset again in its folder."
        )


def parse(content: bytes) -> Manifest:
    """Returns the manifest that `to_bytes` wrote.

    Raises:
        DamageError: the content is not a manifest, differs from what was written, or its counts do not add up.
        UserError: the manifest has another version.
    """
    try:
        values = manifest_schema.parse_values(content)
    except SchemaError as error:
        raise DamageError(str(error)) from None
    version = values["version"]
    if type(version) is not int or version not in _READABLE:
        raise UserError(
            f"{FILE_NAME} has version {shown(version)}; this textgen reads version {VERSION}. "
            "Prepare a new dataset in another folder."
        )
    body, _, proof = content.rpartition(_PROOF)
    if proof != _digest(body) + _END:
        raise DamageError("its last field must be the SHA-256 of the lines before it, and is not")
    try:
        values = manifest_schema.check(values)
    except SchemaError as error:
        raise DamageError(str(error)) from None
    del values["sha256"]
    units = tuple(UnitReport.from_json(unit) for unit in values.pop("units"))
    for fault in filter(None, map(account_fault, units)):
        raise DamageError(fault)
    return Manifest(**{**values, "units": units})


def read_manifest(directory: str | os.PathLike[str]) -> Manifest:
    """Reads the manifest of a dataset from a local folder or a URL.

    Raises:
        UserError: the folder is not a dataset, or its manifest is damaged or has another version.
        OSError: the manifest cannot be read.
    """
    directory = os.fspath(directory)
    try:
        content = Folder(directory).read(FILE_NAME, max_bytes=MAX_BYTES)
    except FileNotFoundError:
        # Object stores have no empty folders, so a remote folder cannot be checked by itself.
        is_there = is_remote(directory) or Path(expand_home(directory)).exists()
        what = f"is not a dataset: it has no {FILE_NAME}" if is_there else "is not there"
        raise UserError(f"{directory} {what}. Make one with `textgen prepare --output {directory}`.") from None
    return parse(content)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def account_fault(report: UnitReport) -> str:
    """Returns which counts of a unit do not add up: documents, pairs per split, blocks per shard; empty if all do."""
    found = {f"the documents of unit {report.unit}": (report.documents, report.kept + sum(report.dropped.values()))}
    for split in SPLITS:
        counts = report.splits.get(split, SplitCounts())
        pairs = sum(shard.pairs for shard in report.shards if shard.split == split)
        found[f"the {split} pairs of unit {report.unit}"] = (counts.pairs, pairs)
    for shard in report.shards:
        for name in ("bytes", "records", "pairs"):
            parts = sum(getattr(block, name) for block in shard.blocks)
            found[f"the {name} of {shard.name}"] = (getattr(shard, name), parts)
    for what, (total, parts) in found.items():
        if total != parts:
            return f"{what} are {total:,}, and their parts add up to {parts:,}"
    return ""


def _shard(values: Mapping[str, Any]) -> Shard:
    return Shard(**{**values, "blocks": tuple(Block(*block) for block in values["blocks"])})
