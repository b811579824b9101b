"""Reads blocks of shards, checks them against the manifest, and finds their records.

A dataset may come from a stranger, whose checksums are right whatever the bytes are. So nothing that a record says of
itself is believed: the number of records and pairs is that of the manifest, and each record lies within its block.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from isal import isal_zlib

from textgen.dataset.storage.framing import AFTER_RECORD, BEFORE_RECORD, length_checksums, record_checksums
from textgen.dataset.storage.shards import Block, Blocks, Shard
from textgen.errors import UserError
from textgen.folder import Folder, Range

_LENGTH = struct.Struct("<Q")
_REMEDY = "`textgen verify` lists what is damaged, and `textgen repair` makes it again."


class BlockLocation(NamedTuple):
    """Location of a block.

    Attributes:
        name: name of the shard.
        unit: index of the unit of the shard.
        offset: offset of the block in the shard, in bytes.
        block: the block.
    """

    name: str
    unit: int
    offset: int
    block: Block


class BlockLocations:
    """Locations of N blocks, with 28 bytes for each: a dataset of terabytes has millions.

    Attributes:
        rows: uint32 [N, 4], the values of each `Block`.
    """

    def __init__(self, shards: Sequence[Shard], which: np.ndarray, offsets: np.ndarray, rows: np.ndarray):
        """Takes the shards, and of each block the index of its shard, int [N], its offset, int64 [N], and its row."""
        self._shards, self._which, self._offsets, self.rows = shards, which, offsets, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> BlockLocation:
        shard = self._shards[self._which[index]]
        return BlockLocation(shard.name, shard.unit, int(self._offsets[index]), Block(*self.rows[index].tolist()))

    def __iter__(self) -> Iterator[BlockLocation]:
        return map(self.__getitem__, range(len(self)))

    @property
    def bytes(self) -> np.ndarray:
        """int64 [N], the size of each block."""
        return _column(self.rows, "bytes")

    @property
    def pairs(self) -> np.ndarray:
        """int64 [N], the number of pairs of each block."""
        return _column(self.rows, "pairs")

    def take(self, indices: np.ndarray) -> "BlockLocations":
        """Returns the blocks at indices, int [M]."""
        return BlockLocations(self._shards, self._which[indices], self._offsets[indices], self.rows[indices])


def locate_blocks(shards: Iterable[Shard]) -> BlockLocations:
    """Returns the locations of all blocks of shards, in order."""
    shards = list(shards)
    rows = np.concatenate([Blocks().rows, *(shard.blocks.rows for shard in shards)])
    which = np.repeat(np.arange(len(shards), dtype=np.int32), [len(shard.blocks) for shard in shards])
    sizes, shard_sizes = _column(rows, "bytes"), np.array([shard.blocks.total.bytes for shard in shards], np.int64)
    starts, shard_starts = np.cumsum(sizes) - sizes, np.cumsum(shard_sizes) - shard_sizes
    return BlockLocations(shards, which, starts - shard_starts[which], rows)


def _column(rows: np.ndarray, name: str) -> np.ndarray:
    """Returns int64 [N], one of the values of each `Block`."""
    return rows[:, Block._fields.index(name)].astype(np.int64)


class BlockContent(NamedTuple):
    """A block that was read.

    Attributes:
        data: its bytes, records with their framing.
        location: where it was read.
        path: path of its shard.
    """

    data: bytes
    location: BlockLocation
    path: str

    @property
    def is_whole(self) -> bool:
        """Whether the bytes have the size and the CRC-32 of the manifest."""
        return len(self.data) == self.location.block.bytes and isal_zlib.crc32(self.data) == self.location.block.crc32

    def error(self, found: str) -> "RecordError":
        """Returns the error for wrong records; `found` is what was found, and the rule, without a final full stop."""
        return RecordError(self, found)


class RecordError(UserError):
    """Records of a block that are wrong, although the manifest agrees with its bytes.

    Attributes:
        what: description of the damage.
    """

    def __init__(self, content: BlockContent, found: str):
        self.what = f"written wrong after byte {content.location.offset}: {found}"
        super().__init__(
            f"{content.path} (unit {content.location.unit}) was {self.what}. Prepare the dataset again from its text."
        )


def read_blocks(folder: Folder, locations: Sequence[BlockLocation]) -> list[BlockContent]:
    """Reads blocks and checks their bytes against the manifest; their records are checked where they are decoded.

    Args:
        folder: folder of the dataset.
        locations: locations of the blocks.

    Raises:
        UserError: a file is missing, or the bytes of a block differ from those that were written.
        OSError: a file cannot be read.
    """
    try:
        contents = _read(folder, locations, fresh=False)
        damaged = [i for i, content in enumerate(contents) if not content.is_whole]
        if damaged:
            # The cached copy of a remote file may be damaged although the file is intact.
            again = _read(folder, [locations[i] for i in damaged], fresh=True)
            for i, content in zip(damaged, again, strict=True):
                contents[i] = content
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        name = error.filename or folder.path(locations[0].name)
        raise UserError(f"{name} cannot be read: {error.strerror or error}. {_REMEDY}") from None
    for i in damaged:
        content = contents[i]
        if not content.is_whole:
            raise UserError(
                f"{content.path} (unit {content.location.unit}) differs from the manifest after byte "
                f"{content.location.offset}. {_REMEDY}"
            )
    return contents


def _read(folder: Folder, locations: Sequence[BlockLocation], *, fresh: bool) -> list[BlockContent]:
    ranges = [Range(location.name, location.offset, location.offset + location.block.bytes) for location in locations]
    return [
        BlockContent(data, location, folder.path(location.name))
        for data, location in zip(folder.read_ranges(ranges, fresh=fresh), locations, strict=True)
    ]


def record_edges(content: BlockContent, *, compiled: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Returns int64 [N] and int64 [N], the offsets of the start and the end of each record of a block.

    Args:
        content: the block.
        compiled: whether to use a compiled loop, which takes half a second to load.

    Raises:
        UserError: the lengths of the records do not add up to the block, or it has another number of records than the
            manifest says.
    """
    if compiled:
        from textgen.dataset.storage.framing_loops import find_records

        # The manifest may be a stranger's, too; a block of that many records is at least as long as their framing.
        records = min(content.location.block.records, len(content.data) // (BEFORE_RECORD + AFTER_RECORD))
        starts, ends = np.empty(records, np.int64), np.empty(records, np.int64)
        if find_records(np.frombuffer(content.data, np.uint8), BEFORE_RECORD, AFTER_RECORD, starts, ends):
            require_records(content, records)
            return starts, ends
        # The loop below finds out what is wrong.
    data, found, position, unpack = content.data, list[int](), 0, _LENGTH.unpack_from
    size = len(data)
    last = size - BEFORE_RECORD - AFTER_RECORD
    while position <= last:
        found.append(position)
        position += BEFORE_RECORD + unpack(data, position)[0] + AFTER_RECORD
    if position != size:
        raise content.error(f"its records end at {position:,} of {size:,} bytes; they must fill the block")
    require_records(content, len(found))
    begins = np.array(found, np.int64)
    return begins + BEFORE_RECORD, np.append(begins, size)[1:] - AFTER_RECORD


def require_framing(content: BlockContent, starts: np.ndarray, ends: np.ndarray) -> None:
    """Checks the checksums in the framing of records, which other readers of TFRecords check.

    Args:
        content: the block.
        starts: int [N], offset of the start of each record.
        ends: int [N], offset of the end of each record.

    Raises:
        UserError: a checksum is wrong.
    """
    numbers: np.ndarray = np.ndarray(len(content.data) - 3, "<u4", content.data, strides=1)
    records = record_checksums(content.data, starts, ends)
    lengths = length_checksums(ends - starts)
    if (numbers[ends] != records).any() or (numbers[starts - AFTER_RECORD] != lengths).any():
        raise content.error("a record or its length has another CRC-32C than its framing says")


def require_records(content: BlockContent, count: int) -> None:
    """Checks the number of records of a block.

    Raises:
        UserError: it is not that of the manifest.
    """
    if count != content.location.block.records:
        raise content.error(f"it has {count:,} records; the manifest has {content.location.block.records:,}")


def require_beginning(content: BlockContent, begins: bool) -> None:
    """Checks that a shard begins with a document.

    Args:
        content: any block of the shard.
        begins: whether the first record of the block is the first of a document.

    Raises:
        UserError: the block is the first of its shard, and its first record continues a document.
    """
    if not content.location.offset and not begins:
        raise content.error("its first record continues a document; the first of a shard begins one")


def unknown_id(largest: int, vocabulary_size: int) -> str:
    """Returns the description of a token id that is not in the vocabulary."""
    return f"a token id is {largest:,}; ids must be below the size of the vocabulary, {vocabulary_size:,}"
