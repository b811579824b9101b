"""Finds the ends of the records of a delimited file: the line ends outside quoted cells.

A quotation mark opens a quoted cell only at the start of a cell; elsewhere it is text, as in `5" disk`. Within a
quoted cell, two marks stand for one, and a single mark closes the cell. These are the rules of pyarrow's parser, so a
file parsed in ranges of whole records gives the same rows as the whole file.
"""

import functools
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from textgen.corpus.readers.base import SAMPLE_BYTES

TOO_LARGE = "row too large"
UNCLOSED = "unclosed quote"

_LARGE = 1 << 16
"""Size of data, in bytes, from which a compiled loop looks for marks."""


class Dialect(NamedTuple):
    """Marks of a delimited file, in its encoding.

    Attributes:
        delimiter: bytes between two cells.
        quoted: whether a cell may stand in quotation marks; else the marks are text.
        escape: character after which a delimiter, mark or line end is text; empty for none.
        skips_blanks: whether spaces after a delimiter are left out.
        line_end: last byte of a line.
    """

    delimiter: bytes = b","
    quoted: bool = True
    escape: bytes = b""
    skips_blanks: bool = False
    line_end: bytes = b"\n"


class RecordBlock(NamedTuple):
    """Consecutive whole records, or one faulty record.

    Attributes:
        content: the records; of a record that is too large only the first `SAMPLE_BYTES` bytes at most.
        size: number of bytes of the records in the file.
        fault: empty, `TOO_LARGE` or `UNCLOSED`.
    """

    content: bytes
    size: int
    fault: str = ""


class RecordReader:
    """Reads the rest of a file, up to the end of a record at offset `end`, in blocks of whole records.

    Memory use does not depend on the size of a record: what exceeds `max_bytes` is skipped.
    """

    def __init__(self, file: BinaryIO, dialect: Dialect, *, block_bytes: int, max_bytes: int, end: float):
        self._file, self._dialect, self._end = file, dialect, end
        self._block_bytes, self._max_bytes = block_bytes, max_bytes
        self._sample_bytes = min(SAMPLE_BYTES, max_bytes)
        self._position: float = file.tell()

    def blocks(self) -> Iterator[RecordBlock]:
        """Yields the records, in blocks of about `block_bytes` bytes or of one longer record."""
        held, wanted = b"", self._block_bytes
        while more := self._read(wanted):
            data = held + more
            last, suspicious = last_record_end(data, self._dialect)
            if last:
                yield from self._checked(data[:last], suspicious)
                held, wanted = data[last:], self._block_bytes
            elif len(data) > self._max_bytes + len(b"\r\n"):
                size, held = self._skip(data)
                yield RecordBlock(data[: self._sample_bytes], size, TOO_LARGE)
                wanted = self._block_bytes
            else:
                # Each attempt doubles the data, so that a long record is not searched many times.
                held, wanted = data, min(max(self._block_bytes, len(data)), self._max_bytes + 3 - len(data))
        yield from self._checked(held, suspicious=True)

    def _read(self, size: int) -> bytes:
        if self._position >= self._end:
            return b""
        read = self._file.read(int(min(size, self._end - self._position)))
        self._position += len(read)
        return read

    def _checked(self, data: bytes, suspicious: bool) -> Iterator[RecordBlock]:
        """Yields the data as one block; if it may have faulty records, these are set apart."""
        if not suspicious and len(data) <= self._max_bytes:
            yield RecordBlock(data, len(data))
            return
        sound = start = 0
        for end in (*record_ends(data, self._dialect), len(data)):
            fault = self._fault(data[start:end])
            if fault:
                yield from _nonempty(data[sound:start])
                content = data[start : start + self._sample_bytes] if fault == TOO_LARGE else data[start:end]
                yield RecordBlock(content, end - start, fault)
                sound = end
            start = end
        yield from _nonempty(data[sound:])

    def _fault(self, record: bytes) -> str:
        if len(record.removesuffix(b"\n").removesuffix(b"\r")) > self._max_bytes:
            return TOO_LARGE
        return UNCLOSED if is_unclosed(record, self._dialect) else ""

    def _skip(self, data: bytes) -> tuple[int, bytes]:
        """Reads up to the end of the record at the start of `data`.

        Returns:
            The size of the record, and the data that was read after it.
        """
        finder = _EndFinder(self._dialect)
        passed = 0
        while (end := finder.find(data)) < 0:
            kept = data[finder.resume :]
            passed += finder.resume
            more = self._read(self._block_bytes)
            if not more:
                return passed + len(kept), b""
            data = kept + more
        return passed + end, data[end:]


def _nonempty(data: bytes) -> Iterator[RecordBlock]:
    if data:
        yield RecordBlock(data, len(data))


class _EndFinder:
    """Finds the end of a record in data that comes in parts, and holds no more than a few bytes between them.

    Attributes:
        resume: offset in the data of the last call from which the next data must begin.
    """

    def __init__(self, dialect: Dialect) -> None:
        escape, blanks = re.escape(dialect.escape), b" *" if dialect.skips_blanks else b""
        # A cell starts after a delimiter, and after a line end of another kind than the file's.
        other_end = b"\n" if dialect.line_end == b"\r" else b"\r"
        before = (re.escape(dialect.delimiter), other_end) if dialect.quoted else ()
        # Alternatives that all begin with a character are searched for fast.
        outside = (
            [rb'%b%b(?:"|\Z)' % (mark, blanks) for mark in before]
            + [re.escape(dialect.line_end)]
            + [escape + rb"(?:.|\Z)"] * bool(escape)
        )
        inside = [rb'""|"'] + [escape + rb"(?:.|\Z)"] * bool(escape)
        self._outside = re.compile(b"|".join(outside), re.DOTALL)
        self._inside = re.compile(b"|".join(inside), re.DOTALL)
        self._dialect, self._held = dialect, len(dialect.delimiter)
        self._quoted: bool | None = None
        self.resume = 0

    def find(self, data: bytes) -> int:
        """Returns the offset after the record's line end; -1 if the record does not end in the data."""
        position = 0
        if self._quoted is None:
            begin = re.compile(rb' *"' if self._dialect.skips_blanks else rb'"').match(data)
            self._quoted = self._dialect.quoted and begin is not None
            position = begin.end() if self._quoted and begin else 0
        while match := (self._inside if self._quoted else self._outside).search(data, position):
            found = match[0]
            # The meaning of a mark at the end depends on the bytes that follow.
            if match.end() == len(data) and found != self._dialect.line_end and found != b'""':
                self.resume = match.start()
                return -1
            if found == self._dialect.line_end and not self._quoted:
                return match.end()
            if found == b'"':
                self._quoted = False
            elif found.endswith(b'"') and not self._quoted and not found.startswith(self._dialect.escape or b"\0"):
                self._quoted = True
            position = match.end()
        self.resume = max(position, len(data) - self._held)
        return -1


def last_record_end(data: bytes, dialect: Dialect) -> tuple[int, bool]:
    r"""Finds the last record end in `data`, which starts at a record start and may end anywhere.

    Returns:
        The offset after the last line end outside quoted cells, 0 if there is none; and whether a quoted cell in the
        data spans lines and is closed within text, which `is_unclosed` looks at closely.

    >>> last_record_end(b'1,"one\n2"\n3,"th\n', Dialect())
    (10, False)
    """
    pattern = _marks(dialect)
    if pattern is None or not any(mark in data for mark in (b'"' * dialect.quoted, dialect.escape) if mark):
        return data.rfind(dialect.line_end) + 1, False
    if len(data) >= _LARGE and dialect in (Dialect(dialect.delimiter), Dialect(dialect.delimiter, line_end=b"\r")):
        # Imported late, since numba takes a quarter of a second.
        from textgen.corpus.readers.csv_scan import scan_records

        return scan_records(np.frombuffer(data, np.uint8), ord(dialect.delimiter), ord(dialect.line_end))
    return _last_record_end(data, dialect, pattern)


def _last_record_end(data: bytes, dialect: Dialect, pattern: re.Pattern[bytes]) -> tuple[int, bool]:
    """Finds the end of the last record by the pattern of `_marks`; see `last_record_end`."""
    matches = list(pattern.finditer(data))
    suspicious = any(match.lastgroup == "text" and _runs_on(match, dialect) for match in matches)
    following = len(data)
    for match in reversed(matches):
        end = data.rfind(dialect.line_end, match.end(), following)
        if end >= 0:
            return end + 1, suspicious
        following = match.start()
    return data.rfind(dialect.line_end, 0, following) + 1, suspicious


def record_ends(data: bytes, dialect: Dialect) -> Iterator[int]:
    """Yields the offset after each line end in `data` that ends a record; `data` starts at a record start."""
    pattern = _marks(dialect)
    position = 0
    for match in pattern.finditer(data) if pattern else ():
        yield from _line_ends(data, position, match.start(), dialect)
        position = match.end()
    yield from _line_ends(data, position, len(data), dialect)


def _line_ends(data: bytes, start: int, end: int, dialect: Dialect) -> Iterator[int]:
    while (found := data.find(dialect.line_end, start, end)) >= 0:
        start = found + 1
        yield start


def is_unclosed(record: bytes, dialect: Dialect) -> bool:
    r"""Returns whether a quoted cell of a record is not closed, or spans lines and is closed within text.

    In both cases the record holds rows that are records of their own if marks are text.

    >>> is_unclosed(b'1,"one\n2,"two\n', Dialect()), is_unclosed(b'1,"one\n', Dialect())
    (True, True)
    >>> is_unclosed(b'1,"one\n2"\n', Dialect()), is_unclosed(b'1,"one"s\n', Dialect())
    (False, False)
    """
    pattern = _marks(dialect)
    if pattern is None or not dialect.quoted or b'"' not in record:
        return False
    return any(match.lastgroup == "open" or _runs_on(match, dialect) for match in pattern.finditer(record))


def closings(data: bytes, dialect: Dialect, *, whole: bool) -> Iterator[bool]:
    r"""Yields for each run of consecutive quoted cells whether a delimiter or line end follows its last mark.

    Args:
        data: bytes from a record start on.
        dialect: marks of the file.
        whole: whether the file ends with the data; else a run that the end of the data cuts off gives nothing.

    >>> list(closings(b'"one","two"\n"three" four\n"fi', Dialect(), whole=False))
    [True, False]
    """
    pattern = _marks(dialect)
    for match in pattern.finditer(data) if pattern and dialect.quoted else ():
        if match.lastgroup and (whole or match.end() < len(data)):
            yield match.lastgroup == "closed"


def _runs_on(match: re.Match[bytes], dialect: Dialect) -> bool:
    """Returns whether consecutive quoted cells span lines and the byte after them is text."""
    return match.lastgroup == "text" and dialect.line_end in match[0]


@functools.cache
def _marks(dialect: Dialect) -> re.Pattern[bytes] | None:
    """Returns a pattern for what may hold a line end that ends no record; None if there is nothing.

    It matches consecutive quoted cells, up to the end of the data (group `open`) or to the last mark, which a
    delimiter, line end or the end of the data follows (group `closed`), or text (group `text`). It also matches an
    escaped character, or whole delimiter, outside of them. Without the rarer marks it begins with the quotation mark
    and then checks the byte before it, so that text without marks is skipped at the speed of memchr.
    """
    escape = re.escape(dialect.escape)
    pair = escape + rb"(?:%b|.|\Z)" % re.escape(dialect.delimiter)
    if not dialect.quoted:
        return re.compile(pair, re.DOTALL) if escape else None
    delimiter = re.escape(dialect.delimiter)
    if len(dialect.delimiter) == 1 and not dialect.skips_blanks:
        opening = rb'"(?:(?<=[%b\r\n]")|(?<=\A"))' % delimiter
    else:
        opening = rb'(?:(?<=%b)|(?<=[\r\n])|\A)%b"' % (delimiter, b" *" if dialect.skips_blanks else b"")
    if dialect.skips_blanks:
        delimiter += b" *"
    end = rb'(?:"(?:(?P<closed>(?=%b|[\r\n]|\Z))|(?P<text>))|(?P<open>\Z))' % re.escape(dialect.delimiter)
    if not escape:
        return re.compile(rb'%b[^"]*(?:"(?:"|%b")[^"]*)*%b' % (opening, delimiter, end))
    text = rb'[^"%b]*' % escape
    cells = rb'%b%b(?:(?:%b|"(?:"|%b"))%b)*%b' % (opening, text, pair, delimiter, text, end)
    # After an escaped character outside of marks, a mark is within a cell.
    return re.compile(rb'%b[ "]*|%b' % (pair, cells), re.DOTALL)
