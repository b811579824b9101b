"""Manifest of a dataset: a commit record that is written last. A folder without `manifest.json` is not a dataset.

Its last field is the SHA-256 of the lines before it, which `head -n -2 manifest.json | sha256sum` prints, so that
damage to the manifest itself is detected.
"""

import dataclasses
import functools
import hashlib
import io
import json
import os
import re
from pathlib import Path

from textgen.config import ALL_SPLITS, SPLITS, PrepareConfig, TextConfig, VocabularyRecord, to_json
from textgen.config.schema import SchemaError, shown
from textgen.dataset.storage import manifest_schema
from textgen.dataset.storage.passed_over import PASSED_OVER_FILE, shown_accounts
from textgen.dataset.storage.records import RecordFormat
from textgen.dataset.storage.split_counts import SplitCounts, sum_counts
from textgen.dataset.storage.unit_report import Shard, UnitReport
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
        unknown_examples: the most frequent tokens of the training text outside the vocabulary, with their counts;
            empty if there are none, or if the tokenizer has no unknown words or characters.
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
    unknown_examples: dict[str, int] = dataclasses.field(default_factory=dict)
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
        if split not in (*SPLITS, ALL_SPLITS):
            raise UserError(f"split is {split!r}; it must be one of: {', '.join((*SPLITS, ALL_SPLITS))}.")
        shards = [shard for shard in self.total.shards if split in (shard.split, ALL_SPLITS)]
        if not shards and split == ALL_SPLITS:
            raise UserError("this dataset has no pairs in any split. Prepare one from text with two tokens or more.")
        if not shards:
            remedy = f"Prepare it with --{split}-percent above 0, or n" if split != "train" else "N"
            raise UserError(f"the {split} split of this dataset is empty. {remedy}ame another --split, or all.")
        return shards

    def counts(self, split: str) -> SplitCounts:
        """Returns the counts of a split; "all" gives their sum over all splits."""
        return sum_counts(self.total.splits.values()) if split == ALL_SPLITS else self.total.splits[split]

    @property
    def vocabulary(self) -> VocabularyRecord:
        """The vocabulary as the manifest records it."""
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
        del values["units"]
        # There may be a million units, so their lines are written one by one into one place.
        content = io.BytesIO()
        content.write(json.dumps({**values, "config": to_json(self.config)}, indent=1)[:-2].encode() + b",")
        content.write(manifest_schema.UNITS_START)
        for i, unit in enumerate(self.units):
            content.write((",\n  " if i else "  ").encode() + json.dumps(unit.to_json()).encode())
        content.write(manifest_schema.UNITS_END)
        digest = _digest(content.getbuffer())
        content.write(_PROOF + digest + _END)
        return content.getvalue()


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
    version = values.settings["version"]
    if type(version) is not int or version not in _READABLE:
        raise UserError(
            f"{FILE_NAME} has version {shown(version)}; this textgen reads version {VERSION}. "
            "Prepare a new dataset in another folder."
        )
    end = max(0, content.rfind(_PROOF))
    if content[end:] != _PROOF + _digest(memoryview(content)[:end]) + _END:
        raise DamageError("its last field must be the SHA-256 of the lines before it, and is not")
    try:
        checked = manifest_schema.check(values)
    except SchemaError as error:
        raise DamageError(str(error)) from None
    del checked["sha256"]
    return Manifest(**checked)


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


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
