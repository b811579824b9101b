"""Checks the files of a dataset against its manifest, and the records in its shards."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from textgen import files, locks
from textgen.config import TOKENIZER_FILE, TOKENIZER_JSON, VOCABULARY_FILE
from textgen.dataset.storage.blocks import BlockContent, locate_blocks
from textgen.dataset.storage.list_verification import list_fault
from textgen.dataset.storage.manifest import (
    FILE_NAME,
    INPUTS_FILE,
    PASSED_OVER_FILE,
    SHARD_NAME,
    WORK_FOLDER,
    Manifest,
    dropped_name,
    read_manifest,
)
from textgen.dataset.storage.record_verification import record_fault
from textgen.dataset.storage.shards import Shard
from textgen.dataset.storage.split_counts import SplitCounts
from textgen.folder import Folder

MISSING = "missing"
EXTRA = "extra: the manifest does not name it"

_OTHER_CONTENT = "changed: its SHA-256 differs from the manifest's"
_BLOCK_BYTES = 1 << 22


class Problem(NamedTuple):
    """A difference between a file of a dataset and the manifest.

    Attributes:
        file: name of the file.
        unit: index of the unit that the file belongs to; None if it belongs to no unit.
        what: "missing", or a description of the difference.
    """

    file: str
    unit: int | None
    what: str

    def __str__(self) -> str:
        of_unit = "" if self.unit is None else f" (unit {self.unit})"
        return f"{self.file}{of_unit}: {self.what}"


def verify(directory: str | os.PathLike[str]) -> list[Problem]:
    """Finds missing, truncated, changed and extra files of a dataset, and shards that were written wrong.

    Every record is decoded, so that ids are those of the vocabulary and counts those of the manifest, and the lists
    of tokens and input files are compared with it.
    The folder `_work` of a preparation and the lock of a process at work are ignored. If the manifest belongs to
    another dataset, only that is reported.

    Args:
        directory: folder of the dataset, local or a URL.

    Returns:
        The problems; empty if the dataset is intact.

    Raises:
        UserError: the folder is not a dataset, or its manifest is damaged or has another version.
        OSError: a file cannot be read.
    """
    folder, manifest = files.expand_home(os.fspath(directory)), read_manifest(directory)
    shards = {
        shard.name: _shard_fault(files.join(folder, shard.name), shard, manifest, report.splits[shard.split])
        for report in manifest.units
        for shard in report.shards
    }
    others = {name: _fault(files.join(folder, name), sha256) for name, sha256 in _digests(manifest).items()}
    names = files.list_names(folder)
    if _is_foreign(names, shards, others):
        what = f"foreign: of the {len(shards)} shards that it names none is here as it says"
        return [Problem(FILE_NAME, None, what)]
    units = {shard.name: shard.unit for shard in manifest.total.shards}
    units |= {dropped_name(report.unit): report.unit for report in manifest.units}
    problems = [Problem(name, units.get(name), what) for name, what in {**shards, **others}.items() if what]
    problems += _contradictions(folder, manifest, [name for name, what in others.items() if not what])
    return problems + [Problem(name, None, EXTRA) for name in _extra(names, manifest)]


def _contradictions(folder: str, manifest: Manifest, intact: list[str]) -> list[Problem]:
    """Returns problems of the manifest: it records these files as they are, and other numbers than theirs."""
    faults = {name: list_fault(name, Folder(folder), manifest) for name in intact}
    return [Problem(FILE_NAME, None, f"contradicts {name}: {fault}") for name, fault in faults.items() if fault]


def file_sha256(path: str | Path, *, block_bytes: int = _BLOCK_BYTES) -> str:
    """Returns the SHA-256 of a file, as hexadecimal digits; reads it in blocks of `block_bytes` bytes.

    Raises:
        OSError: the file cannot be read.
    """
    sha256 = hashlib.sha256()
    with files.open_file(str(path)) as file:
        while data := file.read(block_bytes):
            sha256.update(data)
    return sha256.hexdigest()


def _shard_fault(path: str, shard: Shard, manifest: Manifest, counts: SplitCounts) -> str:
    """Returns a description of the damage to a shard; empty if it is intact."""
    if kind := files.unusual(path):
        return f"no regular file: it is {kind}"
    size = files.size(path)
    if size is None:
        return MISSING
    if size < shard.bytes:
        return f"cut: {size} of {shard.bytes} bytes"
    if size > shard.bytes:
        return f"changed: {size} bytes, {shard.bytes} expected"
    sha256 = hashlib.sha256()
    with files.open_file(path) as file:
        blocks = _read_blocks(file, path, shard, sha256)
        fault = record_fault(blocks, manifest, counts)
        # Those after the fault.
        for _ in blocks:
            pass
    return fault if sha256.hexdigest() == shard.sha256 else _OTHER_CONTENT


def _read_blocks(file: BinaryIO, path: str, shard: Shard, sha256: "hashlib._Hash") -> Iterator[BlockContent]:
    """Yields the blocks of a shard, and adds them to its SHA-256."""
    for location in locate_blocks([shard]):
        data = file.read(location.block.bytes)
        sha256.update(data)
        yield BlockContent(data, location, path)


def _fault(path: str, sha256: str) -> str:
    if kind := files.unusual(path):
        return f"no regular file: it is {kind}"
    if files.size(path) is None:
        return MISSING
    return "" if file_sha256(path) == sha256 else _OTHER_CONTENT


def _digests(manifest: Manifest) -> dict[str, str]:
    """Returns the SHA-256 of every file in the manifest other than shards, by name."""
    digests = {VOCABULARY_FILE: manifest.vocabulary_sha256, INPUTS_FILE: manifest.inputs_sha256}
    if manifest.passed_over_sha256:
        digests[PASSED_OVER_FILE] = manifest.passed_over_sha256
    if manifest.text.tokenizer_model:
        digests[TOKENIZER_FILE] = manifest.text.tokenizer_model
    if manifest.tokenizer_sha256:
        digests[TOKENIZER_JSON] = manifest.tokenizer_sha256
    return digests | {
        dropped_name(report.unit): report.dropped_sha256 for report in manifest.units if report.dropped_sha256
    }


def _is_foreign(names: list[str], shards: dict[str, str], others: dict[str, str]) -> bool:
    """Returns whether the manifest belongs to another dataset.

    No shard matches a foreign manifest. The same is true if each of a few shards is damaged, but most damaged shards
    keep their size.

    Args:
        names: names of the files in the folder.
        shards: description of the damage to each shard of the manifest, empty if it is intact.
        others: the same for the other files of the manifest.
    """
    here = sum(bool(SHARD_NAME.fullmatch(name)) for name in names)
    if not here or not all(shards.values()):
        return False
    wrong = [bool(others[VOCABULARY_FILE]), bool(others[INPUTS_FILE])]
    same_size = _OTHER_CONTENT in shards.values()
    return all(wrong) or (here > 1 and (any(wrong) or not same_size))


def _extra(names: list[str], manifest: Manifest) -> Iterator[str]:
    """Yields the names of the files that are neither in the manifest nor of the folder's lock, in order."""
    known = {FILE_NAME, WORK_FOLDER, *_digests(manifest), *(shard.name for shard in manifest.total.shards)}
    return (name for name in names if name not in known and not locks.is_lock_name(name))
