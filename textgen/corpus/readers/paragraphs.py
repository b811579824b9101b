"""Text files that hold one document a paragraph."""

import itertools
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO

from textgen.corpus.batching import Origin, batches
from textgen.corpus.readers.base import CHUNK_BYTES, FileRange, OpenFile, ReadOptions, TextBatch
from textgen.corpus.readers.lines import skip_line
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, shortened_error, text_encoding, text_end


class ParagraphReader(PlainTextReader):
    """Paragraphs stand apart by lines of nothing but white space; the line ends within them are kept."""

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """The paragraphs from the first boundary after the piece's start to the first after its end."""
        with open_text(file_range.path, open_file, options) as file:
            end = text_end(file_range, options)
            if end == file_range.end:
                beginning = file.tell()
                start, end = boundary(file, file_range.start), boundary(file, file_range.end)
                if end < file_range.end:
                    raise shortened_error(file_range.path)
                file.seek(max(start, beginning))
            yield from batches(_paragraphs(file, end), Origin(file_range.path, text_encoding(options), options))


def boundary(file: BinaryIO, position: int) -> int:
    """The first paragraph after the first blank line that starts at or after a position, or the file's end.

    The file's beginning is one too. A boundary depends on the file and the position alone, so the ranges from one
    to the next hold each paragraph once.
    """
    if not position:
        return 0
    skip_line(file, position)
    found, blank_before = file.tell(), False
    for blank, line in _lines(file):
        if blank_before and not blank:
            break
        blank_before = blank
        found += len(line)
    return found


def _paragraphs(file: BinaryIO, end: float) -> Iterator[Iterator[bytes]]:
    for blank, lines in itertools.groupby(_lines(file, end), key=itemgetter(0)):
        if not blank:
            yield _without_last_line_end(map(itemgetter(1), lines))


def _lines(file: BinaryIO, end: float = float("inf")) -> Iterator[tuple[bool, bytes]]:
    """Whether a line is blank, and the line; one that is longer than a part comes in blocks, and is not blank."""
    position, starts = file.tell(), True
    while position < end and (line := file.readline(CHUNK_BYTES)):
        ends = line.endswith(b"\n")
        yield starts and (ends or len(line) < CHUNK_BYTES) and line.isspace(), line
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
