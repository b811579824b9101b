"""Reader of text files with one document per line."""

from collections.abc import Iterator
from typing import BinaryIO

from textgen.corpus.batching import Origin, batches
from textgen.corpus.readers.base import FileRange, Limits, OpenFile, ReadOptions, TextBatch
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, shortened_error, text_encoding, text_end


class LineReader(PlainTextReader):
    r"""Reads one document per line; a line belongs to the range in which it starts.

    A line ends at `\n`; one `\r` before it is removed.
    """

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the lines that start in the range.

        Raises:
            UserError: the file has become shorter, or a line is invalid and `on_invalid` is "fail".
        """
        with open_text(file_range.file, open_file, options) as file:
            found = read_lines(file, file_range, text_end(file_range), options.limits)
            yield from batches(found, Origin(file_range.file, text_encoding(file_range.file), options))


def skip_line(file: BinaryIO, position: int, limits: Limits) -> None:
    """Moves the file to the first line start at or after `position`, an offset of at least 1."""
    file.seek(position - 1)
    line = file.readline(limits.chunk_bytes)
    while line and not line.endswith(b"\n"):
        line = file.readline(limits.chunk_bytes)


def read_lines(
    file: BinaryIO, file_range: FileRange, end: float, limits: Limits
) -> Iterator[bytes | Iterator[bytes]]:
    """Yields the lines that start in the range; a long line is an iterator of blocks, to be consumed immediately.

    Args:
        file: the opened file; for a range that starts at 0, positioned at the start of its text.
        file_range: the range.
        end: offset at which the range ends in the opened file, from `text_end`.
        limits: sizes of blocks and chunks.

    Raises:
        UserError: the file ends before the range does.
    """
    if file_range.start:
        skip_line(file, file_range.start, limits)
    position = file.tell()
    if not file_range.start and 0 < end <= position:
        # The range ends within the byte order mark, which is the start of the first line.
        end = position + 1
    while position < end:
        block = file.read(int(min(limits.block_bytes, end - position)))
        if not block and end == file_range.end:
            raise shortened_error(file_range.file.path)
        if not block:
            return
        if not block.endswith(b"\n"):
            block += file.readline(limits.chunk_bytes)
        position += len(block)
        lines, line_end, rest = block.replace(b"\r\n", b"\n").rpartition(b"\n")
        if line_end:
            yield from lines.split(b"\n")
        if rest:
            yield _long_line(rest, file, limits.chunk_bytes)
            position = file.tell()


def _long_line(block: bytes, file: BinaryIO, block_bytes: int) -> Iterator[bytes]:
    """Yields a line without its line end, in blocks; `block` is the first one."""
    while not block.endswith(b"\n") and (more := file.readline(block_bytes)):
        if block.endswith(b"\r"):
            block, more = block[:-1], b"\r" + more
        yield block
        block = more
    yield block.removesuffix(b"\n").removesuffix(b"\r")
