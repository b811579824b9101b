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
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from textgen.errors import UserError

BLOCK_PAIRS = 16_384

_LENGTH = struct.Struct("<Q")
_BEFORE_RECORD = 12
_AFTER_RECORD = 4


class Block(NamedTuple):
    """A run of records. `bytes` counts their framing too; `crc32` is that of all these bytes."""

    bytes: int
    records: int
    pairs: int
    crc32: int


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
    """Writes records to a file; `close` tells what it wrote."""

    def __init__(self, path: Path):
        self._path = path
        self._writer = tf.io.TFRecordWriter(str(path))
        self._blocks: list[Block] = []
        self._bytes = self._records = self._pairs = 0

    def write(self, record: bytes, *, pairs: int) -> None:
        """Adds a record that holds `pairs` pairs."""
        self._writer.write(record)
        self._bytes += _BEFORE_RECORD + len(record) + _AFTER_RECORD
        self._records += 1
        self._pairs += pairs
        if self._pairs >= BLOCK_PAIRS:
            self._end_block()

    def close(self, *, name: str, split: str, unit: int) -> Shard:
        """Ends the file and describes it."""
        if self._records:
            self._end_block()
        self._writer.close()
        sha256, blocks = hashlib.sha256(), []
        # Read back, since only TensorFlow sees the framed bytes as it writes them.
        with self._path.open("rb") as file:
            for block in self._blocks:
                data = file.read(block.bytes)
                sha256.update(data)
                blocks.append(block._replace(crc32=zlib.crc32(data)))
        return Shard(
            name=name,
            split=split,
            unit=unit,
            records=sum(block.records for block in blocks),
            pairs=sum(block.pairs for block in blocks),
            bytes=sum(block.bytes for block in blocks),
            sha256=sha256.hexdigest(),
            blocks=tuple(blocks),
        )

    def _end_block(self) -> None:
        self._blocks.append(Block(self._bytes, self._records, self._pairs, crc32=0))
        self._bytes = self._records = self._pairs = 0


def read_block(path: Path, offset: int, block: Block) -> list[memoryview]:
    """The records of a block.

    Raises:
        UserError: the file is missing, or these are not the bytes that were written.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = memoryview(file.read(block.bytes))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. {_REMEDY}") from None
    if len(data) != block.bytes or zlib.crc32(data) != block.crc32:
        raise UserError(f"{path} differs from the manifest after byte {offset}. {_REMEDY}")
    records, position = [], 0
    while position < len(data):
        (length,) = _LENGTH.unpack_from(data, position)
        start = position + _BEFORE_RECORD
        records.append(data[start : start + length])
        position = start + length + _AFTER_RECORD
    return records


_REMEDY = "`textgen verify` lists what is damaged; delete those files and run the same `textgen prepare` again."
