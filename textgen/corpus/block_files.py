"""Reads files in blocks, and presents an iterator of blocks as a binary file that can't seek."""

import io
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 18
"""Size of the blocks in which files are read, in bytes."""


def read_blocks(file: BinaryIO, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yields the rest of a file in blocks of `block_bytes`; the last one may be shorter."""
    while block := file.read(block_bytes):
        yield block


def open_blocks(blocks: Iterator[bytes], *, source: BinaryIO, block_bytes: int = BLOCK_BYTES) -> io.BufferedReader:
    """Returns a file whose content is the concatenated blocks; closing it closes `source` too."""
    return io.BufferedReader(_BlockFile(blocks, source), block_bytes)


class _BlockFile(io.RawIOBase):
    def __init__(self, blocks: Iterator[bytes], source: BinaryIO) -> None:
        self._blocks = blocks
        self._source = source
        self._block = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills the whole buffer unless the blocks end, so that `peek` does not depend on the block boundaries."""
        count = 0
        while count < len(buffer) and (self._block or self._next()):
            taken = min(len(buffer) - count, len(self._block))
            buffer[count : count + taken] = self._block[:taken]
            self._block = self._block[taken:]
            count += taken
        self._position += count
        return count

    def _next(self) -> bool:
        block = next(self._blocks, None)
        self._block = memoryview(block or b"")
        return block is not None

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        self._source.close()
        super().close()
