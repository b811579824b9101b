"""Files that can be read only forward, made of blocks that something else gives."""

import io
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 18


def read_blocks(file: BinaryIO) -> Iterator[bytes]:
    """What is left of a file, block by block."""
    while block := file.read(BLOCK_BYTES):
        yield block


def open_blocks(blocks: Iterator[bytes], *, source: BinaryIO) -> io.BufferedReader:
    """A file of the blocks one after the other, which closes their source with itself."""
    return io.BufferedReader(_BlockFile(blocks, source), BLOCK_BYTES)


class _BlockFile(io.RawIOBase):
    def __init__(self, blocks: Iterator[bytes], source: BinaryIO) -> None:
        self._blocks = blocks
        self._source = source
        self._block = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills the buffer, so that what is looked at of a file does not depend on its blocks."""
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
