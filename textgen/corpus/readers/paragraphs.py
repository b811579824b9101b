"""Reader of text files with one document per paragraph."""

import itertools
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO

from textgen.corpus.batching import Origin, batches
from textgen.corpus.readers.base import FileRange, Limits, OpenFile, ReadOptions, TextBatch
from textgen.corpus.readers.lines import skip_line
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, shortened_error, text_encoding, text_end


class ParagraphReader(PlainTextReader):
    """Reads one document per paragraph: consecutive lines that are not blank, with the line ends between them."""

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the paragraphs from the boundary for the range's start to the boundary for its end.

        Raises:
            UserError: the file has become shorter, or a paragraph is invalid and `on_invalid` is "fail".
        """
        with open_text(file_range.file, open_file, options) as file:
            end, limits = text_end(file_range), options.limits
            if end == file_range.end:
                beginning = file.tell()
                start, end = (boundary(file, edge, limits) for edge in (file_range.start, file_range.end))
                if end < file_range.end:
                    raise shortened_error(file_range.file.path)
                file.seek(max(start, beginning))
            found = _paragraphs(file, end, limits.chunk_bytes)
            yield from batches(found, Origin(file_range.file, text_encoding(file_range.file), options))


def boundary(file: BinaryIO, position: int, limits: Limits) -> int:
    """Returns the offset of the first paragraph after the first blank line that starts at or after `position`.

    Returns the file's size if no paragraph follows, and 0 for position 0. A boundary depends only on the file and the
    position, so that each paragraph belongs to exactly one of the ranges between boundaries.
    """
    if not position:
        return 0
    skip_line(file, position, limits)
    found, blank_before = file.tell(), False
    for blank, line in _lines(file, float("inf"), limits.chunk_bytes):
        if blank_before and not blank:
            break
        blank_before = blank
        found += len(line)
    return found


def _paragraphs(file: BinaryIO, end: float, block_bytes: int) -> Iterator[Iterator[bytes]]:
    for blank, lines in itertools.groupby(_lines(file, end, block_bytes), key=itemgetter(0)):
        if not blank:
            yield _without_last_line_end(map(itemgetter(1), lines))


def _lines(file: BinaryIO, end: float, block_bytes: int) -> Iterator[tuple[bool, bytes]]:
    """Yields (is_blank, line) for each line; a line longer than a block is yielded in blocks that are not blank."""
    position, starts = file.tell(), True
    while position < end and (line := file.readline(block_bytes)):
        ends = line.endswith(b"\n")
        yield starts and (ends or len(line) < block_bytes) and line.isspace(), line
        position += len(line)
        starts = ends


def _without_last_line_end(lines: Iterator[bytes]) -> Iterator[bytes]:
    held = next(lines)
    for line in lines:
        if held.endswith(b"\r"):
            held, line = held[:-1], b"\r" + line
        yield held
        held = line
    yield held.removesuffix(b"\n").removesuffix(b"\r")
