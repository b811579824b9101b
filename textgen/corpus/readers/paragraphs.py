"""Text files that hold one document a paragraph."""

import itertools
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO

from textgen.corpus.batching import Origin, batches
from textgen.corpus.readers.base import PART_BYTES, Batch, OpenFile, Piece, Reading
from textgen.corpus.readers.lines import equal_ranges, pass_line
from textgen.corpus.text_files import check_head, open_text, shortened, text_encoding, text_end


class ParagraphReader:
    """Paragraphs stand apart by lines of nothing but white space; the line ends within them are kept."""

    has_columns = False

    def check(self, path: str, open_file: OpenFile, reading: Reading) -> None:
        """Raises UserError if a packed file can't be unpacked; any text can be read."""
        check_head(path, open_file, reading)

    def divide(
        self, path: str, size: int, unit_bytes: int, open_file: OpenFile, reading: Reading
    ) -> list[tuple[int, int]]:
        """Ranges of equal size; they need not end at a paragraph's end."""
        return equal_ranges(path, size, unit_bytes, reading)

    def read(self, piece: Piece, open_file: OpenFile, reading: Reading) -> Iterator[Batch]:
        """The paragraphs from the first boundary after the piece's start to the first after its end."""
        with open_text(piece.path, open_file, reading) as file:
            end = text_end(piece, reading)
            if end == piece.end:
                beginning = file.tell()
                start, end = boundary(file, piece.start), boundary(file, piece.end)
                if end < piece.end:
                    raise shortened(piece.path)
                file.seek(max(start, beginning))
            yield from batches(_paragraphs(file, end), Origin(piece.path, text_encoding(reading), reading))


def boundary(file: BinaryIO, position: int) -> int:
    """The first paragraph after the first blank line that starts at or after a position, or the file's end.

    The file's beginning is one too. A boundary depends on the file and the position alone, so the ranges from one
    to the next hold each paragraph once.
    """
    if not position:
        return 0
    pass_line(file, position)
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
    while position < end and (line := file.readline(PART_BYTES)):
        ends = line.endswith(b"\n")
        yield starts and (ends or len(line) < PART_BYTES) and line.isspace(), line
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
