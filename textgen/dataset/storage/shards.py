"""Writes shards, which are TFRecord files of consecutive blocks.

A block is a number of consecutive records with about 16,000 pairs, and the smallest unit that the loader reads; the
manifest has its size and its CRC-32. The framing of a record is its length (8 bytes), the masked CRC-32C of the
length (4 bytes), the record, and the masked CRC-32C of the record (4 bytes):
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import dataclasses
import hashlib
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import google_crc32c as crc32c
import numpy as np

from textgen.dataset.storage import ragged
from textgen.dataset.storage.records import Records
from textgen.system_errors import naming

BLOCK_PAIRS = 16_384

_LENGTH = struct.Struct("<Q")
BEFORE_RECORD = 12
AFTER_RECORD = 4


class Block(NamedTuple):
    """Consecutive records of a shard.

    Attributes:
        bytes: size in bytes, including the framing of the records.
        records: number of records.
        pairs: number of pairs.
        crc32: CRC-32 of these bytes.
    """

    bytes: int
    records: int
    pairs: int
    crc32: int


_NO_RECORDS = Block(0, 0, 0, 0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shard:
    """Description of a shard in the manifest.

    Attributes:
        name: name of the file.
        split: name of the split.
        unit: index of the unit.
        records: number of records.
        pairs: number of pairs.
        bytes: size of the file in bytes.
        sha256: SHA-256 of the file, as hexadecimal digits.
        blocks: blocks of the file, in order.
    """

    name: str
    split: str
    unit: int
    records: int
    pairs: int
    bytes: int
    sha256: str
    blocks: tuple[Block, ...]


class ShardWriter:
    """Writes records to a file, and describes the file when it is closed."""

    def __init__(self, path: Path, *, block_pairs: int = BLOCK_PAIRS):
        """Creates the file.

        Args:
            path: the file.
            block_pairs: number of pairs at which a block ends; the record that reaches it is the last of the block.

        Raises:
            OSError: the file cannot be created.
        """
        self._block_pairs = block_pairs
        self._path, self._file = path, path.open("wb")
        self._sha256 = hashlib.sha256()
        self._blocks: list[Block] = []
        self._block = _NO_RECORDS

    def write(self, records: Records) -> None:
        """Appends records, bytes of uint8 [T], to the file.

        Raises:
            OSError: the file cannot be written.
        """
        framed, ends = frame(records)
        pairs = np.cumsum(records.pairs)
        done = done_bytes = done_pairs = 0
        while done < len(ends):
            wanted = done_pairs + self._block_pairs - self._block.pairs
            last = min(int(np.searchsorted(pairs, wanted)), len(ends) - 1)
            data = framed[done_bytes : int(ends[last])]
            with naming(self._path):
                self._file.write(data)
            self._sha256.update(data)
            self._block = Block(
                self._block.bytes + len(data),
                self._block.records + last + 1 - done,
                self._block.pairs + int(pairs[last]) - done_pairs,
                zlib.crc32(data, self._block.crc32),
            )
            done, done_bytes, done_pairs = last + 1, int(ends[last]), int(pairs[last])
            if self._block.pairs >= self._block_pairs:
                self._end_block()

    def close(self, *, name: str, split: str, unit: int) -> Shard:
        """Closes the file and returns its description.

        Args:
            name: name of the shard.
            split: name of the split.
            unit: index of the unit.

        Raises:
            OSError: the file cannot be written.
        """
        if self._block.records:
            self._end_block()
        with naming(self._path):
            self._file.close()
        blocks = self._blocks
        return Shard(
            name=name,
            split=split,
            unit=unit,
            records=sum(block.records for block in blocks),
            pairs=sum(block.pairs for block in blocks),
            bytes=sum(block.bytes for block in blocks),
            sha256=self._sha256.hexdigest(),
            blocks=tuple(blocks),
        )

    def _end_block(self) -> None:
        self._blocks.append(self._block)
        self._block = _NO_RECORDS


def frame(records: Records) -> tuple[memoryview, np.ndarray]:
    """Adds the TFRecord framing to records.

    Returns:
        The bytes of the N framed records, and int64 [N], the offset of the end of each in them.
    """
    lengths = np.diff(records.ends, prepend=0)
    starts = records.ends - lengths
    data = records.data.tobytes()
    checks = record_checksums(data, starts, records.ends)
    distinct, which = ragged.distinct(lengths)
    head_checks = length_checksums(distinct)
    headers = b"".join(
        _LENGTH.pack(length) + check.tobytes() for length, check in zip(distinct.tolist(), head_checks, strict=True)
    )
    # Three slices per record: the header, the record, and the checksum of the record.
    source = np.concatenate([records.data, np.frombuffer(headers, np.uint8), checks.view(np.uint8)])
    header_places = len(data) + which * BEFORE_RECORD
    check_places = len(data) + len(headers) + np.arange(len(lengths)) * AFTER_RECORD
    slice_starts = np.stack([header_places, starts, check_places], axis=1)
    slice_lengths = np.stack(
        [np.full_like(lengths, BEFORE_RECORD), lengths, np.full_like(lengths, AFTER_RECORD)], axis=1
    )
    framed, ends = ragged.join(source, slice_starts, slice_lengths)
    return framed.data, ends[2::3]


def record_checksums(data: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns <u4 [N], the masked CRC-32C of each record, given the offsets of its start and its end in the data."""
    checks = [crc32c.value(data[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return _masked(np.array(checks, np.uint32))


def length_checksums(lengths: np.ndarray) -> np.ndarray:
    """Returns <u4 [N], the masked CRC-32C of the length of each record, int [N]."""
    distinct, which = np.unique(lengths, return_inverse=True)
    checks = [crc32c.value(_LENGTH.pack(length)) for length in distinct.tolist()]
    return _masked(np.array(checks, np.uint32))[which]


def _masked(checks: np.ndarray) -> np.ndarray:
    """Returns <u4 [N], the checksums uint32 [N] masked as in TFRecord: rotated right by 15 bits, plus a constant."""
    return ((checks >> np.uint32(15) | checks << np.uint32(17)) + np.uint32(0xA282EAD8)).astype("<u4")
