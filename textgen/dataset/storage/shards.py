"""Writes shards, which are TFRecord files of consecutive blocks.

A block is a number of consecutive records with about 16,000 pairs, and the smallest unit that the loader reads; the
manifest has its size and its CRC-32.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from isal import isal_zlib

from textgen.dataset.storage.framing import frame
from textgen.dataset.storage.records import Records
from textgen.system_errors import naming

BLOCK_PAIRS = 16_384


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


class Blocks:
    """Blocks of a shard, in order, with 16 bytes for each: a dataset of terabytes has millions.

    Attributes:
        rows: uint32 [N, 4], the values of each `Block`.
    """

    __slots__ = ("rows",)

    def __init__(self, blocks: Iterable[Sequence[int]] = ()):
        """Takes the values of each block.

        Raises:
            OverflowError: a value has more than 32 bits.
        """
        rows: np.ndarray = np.array(list(blocks), np.uint32)
        # A view would take as much memory again as the array.
        self.rows = rows if len(rows) else rows.reshape(0, len(_NO_RECORDS))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Block:
        return Block(*self.rows[index].tolist())

    def __iter__(self) -> Iterator[Block]:
        return map(Block._make, self.rows.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blocks) and np.array_equal(self.rows, other.rows)

    def __repr__(self) -> str:
        return f"Blocks({list(self)})"

    @property
    def total(self) -> Block:
        """Sums of the values, without a checksum."""
        return Block._make([*self.rows[:, :3].sum(0, dtype=np.int64).tolist(), 0])


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
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
    blocks: Blocks


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
                isal_zlib.crc32(data, self._block.crc32),
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
        blocks = Blocks(self._blocks)
        total = blocks.total
        return Shard(
            name=name,
            split=split,
            unit=unit,
            records=total.records,
            pairs=total.pairs,
            bytes=total.bytes,
            sha256=self._sha256.hexdigest(),
            blocks=blocks,
        )

    def _end_block(self) -> None:
        self._blocks.append(self._block)
        self._block = _NO_RECORDS
