r"""Splits files into lines. A line ends at `\n`, `\r\n` or `\r`, in any mixture; no other character ends a line."""

import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from textgen.corpus.readers.base import ReadLimits

_LINE_END = re.compile(rb"\r\n?|\n")
# For text in which every carriage return stands before a line feed.
_BLANK_LINES = re.compile(rb"(?:[ \t\v\f\r]*\n)+")
_BLANK_LINES_AFTER = re.compile(rb"\n((?:[ \t\v\f\r]*\n)+)")
_STEP_BYTES = 1 << 13
"""Number of bytes to read at first where the line end is expected to be near."""


def skip_line(file: BinaryIO, position: int) -> int:
    """Moves the file to the first line start at or after `position`, an offset of at least 1, and returns its offset.

    Without a line end after `position`, this is the end of the file.
    """
    found = position - 1
    file.seek(found)
    step = _STEP_BYTES
    while block := file.read(step):
        line_end = _LINE_END.search(block)
        if line_end:
            found += line_end.end()
            if line_end.end() == len(block) and line_end[0] == b"\r" and file.read(1) == b"\n":
                found += 1
            break
        found += len(block)
        step = 1 << 18
    file.seek(found)
    return found


class LineSplitter:
    """Splits a file into lines without their ends.

    Attributes:
        position: offset of the first byte that belongs to no line yielded so far.
    """

    def __init__(self, file: BinaryIO, limits: ReadLimits) -> None:
        """Creates a splitter of the lines from the file's position on."""
        self.position = file.tell()
        self._file, self._limits = file, limits
        # Bytes that were read after `position`.
        self._ahead = b""

    def lines(self, end: float) -> Iterator[list[bytes] | Iterator[bytes]]:
        """Yields the lines that start before the offset `end`, or before the end of the file.

        Yields:
            Several lines, or one as an iterator of blocks, which must be consumed before the next line.
        """
        unfinished = b""
        while self.position < end and (block := self._read(int(min(self._limits.block_bytes, end - self.position)))):
            if block.endswith(b"\r"):
                block += self._read_line_feed()
            text = unfinished + block
            if b"\r" in text:
                text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            finished, line_end, unfinished = text.rpartition(b"\n")
            if line_end:
                yield finished.split(b"\n")
            if len(unfinished) > self._limits.chunk_bytes:
                yield self._rest_of_line(unfinished)
                unfinished = b""
        if unfinished:
            yield self._rest_of_line(unfinished)

    def _rest_of_line(self, block: bytes) -> Iterator[bytes]:
        """Yields the blocks of a line, of which the first one is given, up to its end."""
        step = _STEP_BYTES
        line_end = None
        while block and not line_end:
            yield block
            block = self._read(step)
            line_end = _LINE_END.search(block)
            step = self._limits.block_bytes
        if line_end:
            if line_end.start():
                yield block[: line_end.start()]
            self._put_back(block[line_end.end() :])
            if line_end[0] == b"\r":
                self._read_line_feed()

    def _read(self, count: int) -> bytes:
        block = self._ahead[:count]
        self._ahead = self._ahead[count:]
        if len(block) < count:
            block += self._file.read(count - len(block))
        self.position += len(block)
        return block

    def _put_back(self, rest: bytes) -> None:
        self._ahead = rest + self._ahead
        self.position -= len(rest)

    def _read_line_feed(self) -> bytes:
        """Reads the next byte if it is a line feed; returns it, or nothing."""
        following = self._read(1)
        if following == b"\n":
            return following
        self._put_back(following)
        return b""


def split_at_blank_lines(file: BinaryIO, end: float, limits: ReadLimits) -> Iterator[tuple[bool, bytes]]:
    """Yields consecutive blank lines, and consecutive lines that are not blank, from the file's position on.

    Args:
        file: the file, at the start of a line.
        end: offset at which to stop, the start of a line; or infinity for the end of the file.
        limits: sizes of blocks and chunks.

    Yields:
        Whether the lines are blank, and the lines with their ends. Lines may be given in several items. A line that
        is longer than a chunk is not blank.
    """
    position, unfinished, is_start = file.tell(), b"", True
    block = b"\n"
    while block:
        block = file.read(int(max(0, min(limits.block_bytes, end - position))))
        position += len(block)
        text = unfinished + block
        cut = certain_end(text) if block else len(text)
        lines, held, unfinished = text[:cut], len(unfinished), text[cut:]
        if not is_start or held:
            line_end = _LINE_END.search(lines)
            first = line_end.end() if line_end else len(lines)
            if not is_start or first > limits.chunk_bytes:
                yield False, lines[:first]
                is_start, lines = is_start or bool(lines), lines[first:]
        yield from _split_lines(lines)
        if len(unfinished) > limits.chunk_bytes:
            kept = len(unfinished) - unfinished.endswith(b"\r")
            yield False, unfinished[:kept]
            is_start, unfinished = False, unfinished[kept:]


def certain_end(text: bytes) -> int:
    r"""Returns the end of the last line whose end is known; a last `\r` may be the first half of a line end."""
    line_feed = text.rfind(b"\n") + 1
    return max(line_feed, text.rfind(b"\r", line_feed, len(text) - 1) + 1)


def _split_lines(lines: bytes) -> Iterator[tuple[bool, bytes]]:
    """Yields (are_blank, lines) for whole lines."""
    if lines.count(b"\r") != lines.count(b"\r\n") or not lines.endswith(b"\n"):
        for are_blank, group in itertools.groupby(lines.splitlines(keepends=True), key=bytes.isspace):
            yield are_blank, b"".join(group)
        return
    blank = _BLANK_LINES.match(lines)
    start = blank.end() if blank else 0
    yield True, lines[:start]
    for gap in _BLANK_LINES_AFTER.finditer(lines, start):
        yield False, lines[start : gap.start(1)]
        yield True, gap[1]
        start = gap.end()
    yield False, lines[start:]
