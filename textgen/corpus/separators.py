"""Splits texts into documents at separators: a text within lines, a line, or a regular expression at line starts."""

import re
from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple, Protocol

from textgen.corpus.line_ends import certain_end, skip_line
from textgen.corpus.readers.base import ReadLimits, SeparatorOptions
from textgen.errors import UserError

_LINE_END = re.compile(rb"\r\n?|\n")
_MAX_MATCHED = 1 << 13
"""Number of bytes of a long line in which a regular expression is searched."""


class Part(NamedTuple):
    """A part of a text.

    Attributes:
        text: a part of a document; empty for none.
        is_last: whether a separator follows, which ends the document.
        size: number of bytes of the text and the separator.
    """

    text: bytes
    is_last: bool
    size: int


class Separator(Protocol):
    """Finds separators in files."""

    removes_line_end: bool
    """Whether one line end after a separator belongs to no document."""

    def seek(self, file: BinaryIO, position: int) -> int:
        """Moves to the first offset from `position` on at which a separator may start, and returns it."""
        ...

    def parts(
        self, file: BinaryIO, limits: ReadLimits, *, is_line_start: bool, is_fresh: bool = True
    ) -> Iterator[Part]:
        """Yields the rest of the file; the documents of the parts do not depend on the blocks that are read.

        Args:
            file: the file.
            limits: sizes of blocks.
            is_line_start: whether the file is at the start of a line.
            is_fresh: whether it is at the start of a document, where a separator without bytes separates nothing.
        """
        ...


def make_separator(options: SeparatorOptions, encoding: str) -> Separator:
    """Returns the separator of some settings, for text in an encoding whose ASCII bytes are ASCII characters.

    Raises:
        UserError: the encoding lacks a character of the separator.
    """
    if options.pattern:
        return _LineStart(re.compile(options.pattern), encoding)
    try:
        mark = options.text.encode(encoding)
    except UnicodeEncodeError:
        raise UserError(
            f"document separator is {options.text!r}, which {encoding} cannot write. Give another one."
        ) from None
    return _Anywhere(mark) if options.is_anywhere else _Line(mark)


class _Anywhere:
    """A text that separates documents wherever it stands."""

    removes_line_end = True

    def __init__(self, mark: bytes) -> None:
        self._mark = mark

    def seek(self, file: BinaryIO, position: int) -> int:
        return file.seek(position)

    def parts(
        self, file: BinaryIO, limits: ReadLimits, *, is_line_start: bool, is_fresh: bool = True
    ) -> Iterator[Part]:
        held = b""
        while block := file.read(limits.block_bytes):
            text, start = held + block, 0
            while (found := text.find(self._mark, start)) >= 0:
                yield Part(text[start:found], True, found + len(self._mark) - start)
                start = found + len(self._mark)
            # A separator may start in the last bytes.
            cut = max(start, len(text) - len(self._mark) + 1)
            if cut > start:
                yield Part(text[start:cut], False, cut - start)
            held = text[cut:]
        if held:
            yield Part(held, False, len(held))


class _Lines:
    """Base of separators that are found line by line."""

    removes_line_end = False

    def seek(self, file: BinaryIO, position: int) -> int:
        return skip_line(file, position)

    def parts(
        self, file: BinaryIO, limits: ReadLimits, *, is_line_start: bool, is_fresh: bool = True
    ) -> Iterator[Part]:
        unfinished, block = b"", b"\n"
        while block:
            block = file.read(limits.block_bytes)
            text = unfinished + block
            cut = certain_end(text) if block else len(text)
            if not cut and len(text) > max(limits.chunk_bytes, _MAX_MATCHED):
                # The start of a long line; a last `\r` may be half of its end.
                cut = len(text) - text.endswith(b"\r")
            lines, unfinished = text[:cut], text[cut:]
            if lines:
                is_fresh = yield from self._parts(lines, is_line_start=is_line_start, is_fresh=is_fresh)
                is_line_start = lines.endswith((b"\n", b"\r"))

    def _parts(self, lines: bytes, *, is_line_start: bool, is_fresh: bool) -> Generator[Part, None, bool]:
        """Yields the parts of lines; returns whether a document starts after them."""
        if not self._may_occur(lines):
            yield Part(lines, False, len(lines))
            return False
        start = position = 0
        for line in lines.splitlines(keepends=True):
            size = self._separator_size(line) if position or is_line_start else -1
            if size > 0 or (size == 0 and not is_fresh):
                yield Part(lines[start:position], True, position - start + size)
                start = position + size
            position += len(line)
            is_fresh = start == position
        if start < position:
            yield Part(lines[start:], False, position - start)
        return is_fresh

    def _may_occur(self, lines: bytes) -> bool:
        return True

    def _separator_size(self, line: bytes) -> int:
        """Returns the number of bytes of the separator at the start of a line, or -1 if there is none."""
        raise NotImplementedError


class _Line(_Lines):
    """A line that separates documents; white space may stand around its text."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark

    def _may_occur(self, lines: bytes) -> bool:
        return self._mark in lines

    def _separator_size(self, line: bytes) -> int:
        return len(line) if self._mark in line and line.strip() == self._mark.strip() else -1


class _LineStart(_Lines):
    """A regular expression at the start of a line; what it matches separates documents, up to all of the line."""

    def __init__(self, pattern: re.Pattern[str], encoding: str) -> None:
        self._pattern, self._encoding = pattern, encoding

    def _separator_size(self, line: bytes) -> int:
        text = line[:_MAX_MATCHED].rstrip(b"\r\n")
        # Invalid bytes become surrogates, which are encoded to the same bytes.
        found = self._pattern.match(text.decode(self._encoding, "surrogateescape"))
        if not found:
            return -1
        size = len(found[0].encode(self._encoding, "surrogateescape"))
        return len(line) if size == len(text) and size and len(line) <= _MAX_MATCHED else size


def boundary(file: BinaryIO, position: int, separator: Separator, limits: ReadLimits) -> int:
    """Returns the offset after the first separator that starts at or after `position`.

    Returns the file's size if no separator follows, and 0 for position 0. A boundary depends only on the file and the
    position, so that each document belongs to exactly one of the ranges between boundaries.
    """
    if not position:
        return 0
    found = separator.seek(file, position)
    for part in separator.parts(file, limits, is_line_start=True, is_fresh=False):
        found += part.size
        if part.is_last:
            break
    return found


def at_line_start(file: BinaryIO, beginning: int) -> bool:
    """Returns whether the file is at the start of a line, given the offset at which its text begins."""
    position = file.tell()
    if position == beginning:
        return True
    file.seek(position - 1)
    return file.read(1) in (b"\n", b"\r")


def split_documents(
    parts: Iterator[Part], position: int, end: float, separator: Separator, *, is_start: bool
) -> Iterator[Iterator[bytes]]:
    """Yields the documents that start before the offset `end`, as blocks to be consumed before the next document.

    No document is before a separator at the start of the file, nor after one at its end; others may be empty. One
    line end before a separator belongs to no document.

    Args:
        parts: the parts of the file from the start of a document on.
        position: offset of this start.
        end: offset before which the documents start.
        separator: the separator.
        is_start: whether this is the start of the file.
    """
    follows = not is_start
    while position < end and (part := next(parts, None)):

        def texts(first: Part) -> Iterator[bytes]:
            nonlocal position
            position += first.size
            yield first.text
            while not first.is_last and (first := next(parts, _END)).size:
                position += first.size
                yield first.text

        document = _without_line_ends(texts(part), at_start=follows and separator.removes_line_end)
        if follows or part.text or not part.is_last:
            yield document
        else:
            position += part.size
        follows = True


_END = Part(b"", True, 0)


def _without_line_ends(texts: Iterator[bytes], *, at_start: bool) -> Iterator[bytes]:
    """Yields a text without its last line end, and without the first one if it begins with one and `at_start`."""
    held = b""
    for text in texts:
        text = held + text
        if at_start and text not in (b"", b"\r"):
            first = _LINE_END.match(text)
            text, at_start = text[first.end() if first else 0 :], False
        cut = len(text) - (2 if text.endswith(b"\r\n") else int(text.endswith((b"\n", b"\r"))))
        held = text[cut:]
        if cut:
            yield text[:cut]
