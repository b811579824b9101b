"""Reads the start of a delimited file: its dialect, its column names and its first rows."""

import contextlib
import csv
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from textgen.corpus.readers.base import TableOptions
from textgen.corpus.readers.csv_parsing import parse_rows
from textgen.corpus.readers.csv_records import Dialect, closings, record_ends

SAMPLE_ROWS = 100
"""Maximum number of rows after the header by which a dialect is judged."""

_SEPARATOR_LINE = re.compile(rb"sep=([^\"\r\n])\r?\n", re.IGNORECASE)
"""First line that names the delimiter for Excel."""

_LINE_END = re.compile(rb"\r\n|\n|\r")


class BadHeaderError(ValueError):
    """The header row can't be read; the message says why."""


class Start(NamedTuple):
    """Start of a delimited file.

    Attributes:
        content: bytes from the start of the text.
        whole: whether they are the whole file.
        encoding: their encoding.
    """

    content: bytes
    whole: bool
    encoding: str


class TableHead(NamedTuple):
    """Dialect and columns of a delimited file, and the offset of its first row.

    Attributes:
        dialect: its marks.
        names: names of its columns; numbers from 1 if it has no header row; empty if it has no rows.
        begin: offset from the start of the text at which the header row begins.
        start: offset of the first row after the header.
    """

    dialect: Dialect
    names: list[str]
    begin: int
    start: int


def read_head(start: Start, delimiter: str, options: TableOptions) -> TableHead | None:
    """Returns the head of a table; None if the header row is not complete in the bytes.

    Args:
        start: start of the file.
        delimiter: delimiter of the format.
        options: settings of the table.

    Raises:
        BadHeaderError: the header row can't be read.
    """
    begin, named = _first_line(start.content, options.skip_rows)
    dialect = _dialect(start, begin, options.delimiter or named or delimiter, options)
    return head_in(dialect, start, begin, with_header=options.header != "none")


def head_in(dialect: Dialect, start: Start, begin: int, *, with_header: bool) -> TableHead | None:
    """Returns the head of a table whose dialect is given; None if the header row is not complete in the bytes.

    Raises:
        BadHeaderError: the header row can't be read.
    """
    end = next(_row_ends(start, begin, dialect), None)
    if end is None:
        return TableHead(dialect, [], begin, len(start.content)) if start.whole else None
    # A record of only blanks or an escape character may have no row or no cell.
    names, *more = _parsed(start.content[begin:end], dialect, start.encoding) or [[]]
    names = names or [""]
    if more:
        raise BadHeaderError("its lines end with only a carriage return, but it has line feeds too")
    if not with_header:
        return TableHead(dialect, [str(i + 1) for i in range(len(names))], begin, begin)
    return TableHead(dialect, names, begin, end)


def first_rows(head: TableHead, start: Start) -> list[list[str]]:
    """Returns the rows after the header that are complete in the bytes, at most SAMPLE_ROWS.

    They end before a row with a cell that is too large for the csv module.
    """
    edges = [head.start, *itertools.islice(_row_ends(start, head.start, head.dialect), SAMPLE_ROWS)]
    rows: list[list[str]] = []
    with contextlib.suppress(BadHeaderError):
        for begin, end in itertools.pairwise(edges):
            rows += filter(None, _parsed(start.content[begin:end], head.dialect, start.encoding))
    return rows


def _first_line(content: bytes, skip_rows: int) -> tuple[int, str]:
    """Returns the offset of the line after skipped and blank lines, and the delimiter that a line for Excel names."""
    named = _SEPARATOR_LINE.match(content)
    begin = 0
    for _ in range(max(skip_rows, 1 if named else 0)):
        line_end = _LINE_END.search(content, begin)
        begin = line_end.end() if line_end else len(content)
    while content[begin : begin + 1] in (b"\r", b"\n"):
        begin += 1
    return begin, named[1].decode("latin-1") if named else ""


def _dialect(start: Start, begin: int, delimiter: str, options: TableOptions) -> Dialect:
    content = start.content
    dialect = Dialect(
        delimiter.encode(start.encoding),
        True,
        (options.escape or "").encode(),
        options.skip_blanks,
        b"\r" if b"\r" in content[begin:] and b"\n" not in content[begin:] else b"\n",
    )
    if options.quoting == "auto" and delimiter == "\t":
        return dialect._replace(quoted=_has_quoted_cells(content[begin:], dialect, whole=start.whole))
    return dialect._replace(quoted=options.quoting != "none")


def _has_quoted_cells(content: bytes, dialect: Dialect, *, whole: bool) -> bool:
    """Returns whether each cell that begins with a mark is a quoted cell, and there is at least one.

    A cell that is cut off by the end of the content counts only at the end of the file.
    """
    found = list(closings(content, dialect, whole=whole))
    return bool(found) and all(found)


def _row_ends(start: Start, begin: int, dialect: Dialect) -> Iterator[int]:
    """Yields the offsets of the ends of the rows from `begin` on that are complete."""
    end = begin
    for found in record_ends(start.content[begin:], dialect):
        end = begin + found
        yield end
    if start.whole and end < len(start.content):
        yield len(start.content)


def _parsed(row: bytes, dialect: Dialect, encoding: str) -> list[list[str]]:
    try:
        return parse_rows(row, dialect, encoding)
    except (csv.Error, pa.ArrowInvalid) as error:
        raise BadHeaderError(str(error)) from error
