"""Reader of text files with one document per paragraph."""

import itertools
import math
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO

from textgen.corpus.batching import Origin, batches
from textgen.corpus.line_ends import skip_line, split_at_blank_lines
from textgen.corpus.readers.base import FileRange, OpenFile, ReadLimits, ReadOptions, TextBatch
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
            found = _paragraphs(file, end, limits)
            yield from batches(found, Origin(file_range.file, text_encoding(file_range.file), options))


def boundary(file: BinaryIO, position: int, limits: ReadLimits) -> int:
    """Returns the offset of the first paragraph after the first blank line that starts at or after `position`.

    Returns the file's size if no paragraph follows, and 0 for position 0. A boundary depends only on the file and the
    position, so that each paragraph belongs to exactly one of the ranges between boundaries.
    """
    if not position:
        return 0
    found, blank_before = skip_line(file, position), False
    for blank, lines in split_at_blank_lines(file, math.inf, limits):
        if blank_before and lines and not blank:
            break
        blank_before = blank if lines else blank_before
        found += len(lines)
    return found


def _paragraphs(file: BinaryIO, end: float, limits: ReadLimits) -> Iterator[Iterator[bytes]]:
    found = (item for item in split_at_blank_lines(file, end, limits) if item[1])
    for blank, lines in itertools.groupby(found, key=itemgetter(0)):
        if not blank:
            yield _without_last_line_end(map(itemgetter(1), lines))


def _without_last_line_end(lines: Iterator[bytes]) -> Iterator[bytes]:
    held = next(lines)
    for line in lines:
        if held.endswith(b"\r"):
            held, line = held[:-1], b"\r" + line
        yield held
        held = line
    yield held.removesuffix(b"\n").removesuffix(b"\r")
