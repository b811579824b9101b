"""Text files that hold one document a line."""

from collections.abc import Iterator
from typing import BinaryIO

from textgen.corpus.batching import Origin, batches
from textgen.corpus.block_files import BLOCK_BYTES
from textgen.corpus.readers.base import CHUNK_BYTES, FileRange, OpenFile, ReadOptions, TextBatch
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, shortened_error, text_encoding, text_end


class LineReader(PlainTextReader):
    """A line ends at `\\n` (a `\\r` before it is dropped) and belongs to the range that it starts in."""

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """The lines that start in the piece."""
        with open_text(file_range.path, open_file, options) as file:
            found = read_lines(file, file_range, text_end(file_range, options))
            yield from batches(found, Origin(file_range.path, text_encoding(options), options))


def skip_line(file: BinaryIO, position: int) -> None:
    """Moves the file to the first start of a line at or after a position that is not its beginning."""
    file.seek(position - 1)
    line = file.readline(CHUNK_BYTES)
    while line and not line.endswith(b"\n"):
        line = file.readline(CHUNK_BYTES)


def read_lines(file: BinaryIO, file_range: FileRange, end: float) -> Iterator[bytes | Iterator[bytes]]:
    """The lines that start in the piece, a long one in blocks.

    Raises:
        UserError: the file ends before the piece.
    """
    if file_range.start:
        skip_line(file, file_range.start)
    position = file.tell()
    if not file_range.start and 0 < end <= position:
        # The range ends within the byte order mark, which is the start of the first line.
        end = position + 1
    while position < end:
        block = file.read(int(min(BLOCK_BYTES, end - position)))
        if not block and end == file_range.end:
            raise shortened_error(file_range.path)
        if not block:
            return
        if not block.endswith(b"\n"):
            block += file.readline(CHUNK_BYTES)
        position += len(block)
        lines, line_end, rest = block.replace(b"\r\n", b"\n").rpartition(b"\n")
        if line_end:
            yield from lines.split(b"\n")
        if rest:
            yield _long_line(rest, file)
            position = file.tell()


def _long_line(block: bytes, file: BinaryIO) -> Iterator[bytes]:
    """A line from the block that it begins with, on to its end or the file's."""
    while not block.endswith(b"\n") and (more := file.readline(CHUNK_BYTES)):
        if block.endswith(b"\r"):
            block, more = block[:-1], b"\r" + more
        yield block
        block = more
    yield block.removesuffix(b"\n").removesuffix(b"\r")
