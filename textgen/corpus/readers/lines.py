"""Reader of text files with one document per line."""

from collections.abc import Iterator
from typing import BinaryIO

from textgen.corpus.batching import Origin, batches
from textgen.corpus.line_ends import LineSplitter, skip_line
from textgen.corpus.readers.base import FileRange, OpenFile, ReadLimits, ReadOptions, TextBatch
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, shortened_error, text_encoding, text_end


class LineReader(PlainTextReader):
    r"""Reads one document per line, which ends at `\n`, `\r\n` or `\r`; it belongs to the range of its start."""

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the lines that start in the range.

        Raises:
            UserError: the file has become shorter, or a line is invalid and `on_invalid` is "fail".
        """
        with open_text(file_range.file, open_file, options) as file:
            found = read_lines(file, file_range, text_end(file_range), options.limits)
            yield from batches(found, Origin(file_range.file, text_encoding(file_range.file), options))


def read_lines(
    file: BinaryIO, file_range: FileRange, end: float, limits: ReadLimits
) -> Iterator[list[bytes] | Iterator[bytes]]:
    """Yields the lines that start in the range, several at once.

    A long line is an iterator of blocks, to be consumed immediately.

    Args:
        file: the opened file; for a range that starts at 0, positioned at the start of its text.
        file_range: the range.
        end: offset at which the range ends in the opened file, from `text_end`.
        limits: sizes of blocks and chunks.

    Raises:
        UserError: the file ends before the range does.
    """
    if file_range.start:
        skip_line(file, file_range.start)
    position = file.tell()
    if not file_range.start and 0 < end <= position:
        # The range ends within the byte order mark, which is the start of the first line.
        end = position + 1
    splitter = LineSplitter(file, limits)
    yield from splitter.lines(end)
    if splitter.position < end == file_range.end:
        raise shortened_error(file_range.file.path)
