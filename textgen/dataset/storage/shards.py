"""One TFRecord file: written once, described by blocks, read back block by block.

A block is a run of whole records with about 16,000 pairs. It is what the loader reads at a time, so its size and
its CRC-32 stand in the manifest. The framing is
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details: a length in 8 bytes, its CRC in
4, the record, its CRC in 4.
"""

import dataclasses
import hashlib
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import google_crc32c as crc32c
import numpy as np

from textgen.dataset.storage import ragged
from textgen.dataset.storage.records import Records
from textgen.errors import UserError
from textgen.files import Folder, Range

BLOCK_PAIRS = 16_384

_LENGTH = struct.Struct("<Q")
BEFORE_RECORD = 12
AFTER_RECORD = 4


class Block(NamedTuple):
    """A run of records. `bytes` counts their framing too; `crc32` is that of all these bytes."""

    bytes: int
    records: int
    pairs: int
    crc32: int


_NO_RECORDS = Block(0, 0, 0, 0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shard:
    """What the manifest says of a file."""

    name: str
    split: str
    unit: int
    records: int
    pairs: int
    bytes: int
    sha256: str
    blocks: tuple[Block, ...]


class ShardWriter:
    """Writes records to a file; `close` describes what was written."""

    def __init__(self, path: Path, *, block_pairs: int = BLOCK_PAIRS):
        """`block_pairs`: a block ends with the record that brings it to this number of pairs."""
        self._block_pairs = block_pairs
        self._file = path.open("wb")
        self._sha256 = hashlib.sha256()
        self._blocks: list[Block] = []
        self._block = _NO_RECORDS

    def write(self, records: Records) -> None:
        """Adds records; a block ends with the record that fills it."""
        framed, ends = frame(records)
        pairs = np.cumsum(records.pairs)
        done = done_bytes = done_pairs = 0
        while done < len(ends):
            wanted = done_pairs + self._block_pairs - self._block.pairs
            last = min(int(np.searchsorted(pairs, wanted)), len(ends) - 1)
            data = framed[done_bytes : int(ends[last])]
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
        """Ends the file and describes it."""
        if self._block.records:
            self._end_block()
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
    """The records as they stand in a TFRecord file, and where each ends: int64[N]."""
    lengths = np.diff(records.ends, prepend=0)
    starts = records.ends - lengths
    data = records.data.tobytes()
    checks = [crc32c.value(data[a:b]) for a, b in zip(starts.tolist(), records.ends.tolist(), strict=True)]
    distinct, which = ragged.distinct(lengths)
    heads = [_LENGTH.pack(length) for length in distinct.tolist()]
    head_checks = _masked(np.array([crc32c.value(head) for head in heads], np.uint32))
    headers = b"".join(head + check.tobytes() for head, check in zip(heads, head_checks, strict=True))
    # Three slices a record: its header, itself, its check.
    source = np.concatenate(
        [records.data, np.frombuffer(headers, np.uint8), _masked(np.array(checks, np.uint32)).view(np.uint8)]
    )
    header_places = len(data) + which * BEFORE_RECORD
    check_places = len(data) + len(headers) + np.arange(len(lengths)) * AFTER_RECORD
    slice_starts = np.stack([header_places, starts, check_places], axis=1)
    slice_lengths = np.stack(
        [np.full_like(lengths, BEFORE_RECORD), lengths, np.full_like(lengths, AFTER_RECORD)], axis=1
    )
    # Moved two or four bytes at a time where all lengths allow it, as those of spans do.
    width = int(np.gcd.reduce(distinct, initial=AFTER_RECORD))
    framed, ends = ragged.join(source.view(f"u{width}"), slice_starts // width, slice_lengths // width)
    return framed.view(np.uint8).data, ends[2::3] * width


def _masked(checks: np.ndarray) -> np.ndarray:
    """The CRC-32C as TFRecord stores it: turned by 15 bits, plus a constant; uint32[N] → <u4[N]."""
    return ((checks >> np.uint32(15) | checks << np.uint32(17)) + np.uint32(0xA282EAD8)).astype("<u4")


class BlockLocation(NamedTuple):
    """Location of a block: the file of its shard, the unit that made it, the offset in bytes."""

    name: str
    unit: int
    offset: int
    block: Block


def locate_blocks(shards: Iterable[Shard]) -> list[BlockLocation]:
    """All blocks of shards, in order."""
    locations = []
    for shard in shards:
        offset = 0
        for block in shard.blocks:
            locations.append(BlockLocation(shard.name, shard.unit, offset, block))
            offset += block.bytes
    return locations


def read_blocks(folder: Folder, locations: Sequence[BlockLocation]) -> list[bytes]:
    """The bytes of blocks, records with their framing.

    Raises:
        UserError: a file is missing, or these are not the bytes that were written.
    """
    ranges = [Range(location.name, location.offset, location.offset + location.block.bytes) for location in locations]
    try:
        contents = folder.read_ranges(ranges)
        damaged = [i for i, location in enumerate(locations) if not _is_whole(contents[i], location.block)]
        if damaged:
            # What is kept of a remote file may be damaged where the file is not.
            for i, content in zip(damaged, folder.read_ranges([ranges[i] for i in damaged], fresh=True), strict=True):
                contents[i] = content
    except OSError as error:
        name = getattr(error, "filename", None) or folder.path(locations[0].name)
        raise UserError(f"{name} cannot be read: {error.strerror or error}. {_REMEDY}") from None
    for location, content in zip(locations, contents, strict=True):
        if not _is_whole(content, location.block):
            raise UserError(
                f"{folder.path(location.name)} (unit {location.unit}) differs from the manifest after byte "
                f"{location.offset}. {_REMEDY}"
            )
    return contents


def _is_whole(content: bytes, block: Block) -> bool:
    return len(content) == block.bytes and zlib.crc32(content) == block.crc32


def record_edges(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where each record of a block starts and ends: int64[N], int64[N]."""
    found, position, size, unpack = list[int](), 0, len(data), _LENGTH.unpack_from
    while position < size:
        found.append(position)
        position += BEFORE_RECORD + unpack(data, position)[0] + AFTER_RECORD
    begins = np.array(found, np.int64)
    return begins + BEFORE_RECORD, np.append(begins, size)[1:] - AFTER_RECORD


_REMEDY = "`textgen verify` lists what is damaged, and `textgen repair` makes it again."
