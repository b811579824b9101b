"""Parses whole records of a delimited file into cells."""

import csv
import functools
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv

from textgen.corpus.encodings import is_valid_utf8
from textgen.corpus.readers.csv_records import Dialect

_SPARE = [bytes([code]) for code in (*range(1, 9), *range(14, 32), 127)]
"""Control characters, of which one stands for a delimiter that is no ASCII character."""


class BadRow(NamedTuple):
    """A row whose number of cells differs from the header's.

    Attributes:
        content: its bytes.
        cells: its number of cells.
    """

    content: bytes
    cells: int


class Parsed(NamedTuple):
    """The rows of a block.

    Attributes:
        bad: rows with another number of cells, in order.
        columns: the cells of each requested column, in order.
    """

    bad: list[BadRow]
    columns: list[list[bytes]]


def parse_block(records: bytes, dialect: Dialect, columns: int, indices: Sequence[int]) -> Parsed:
    """Parses records with pyarrow.

    Args:
        records: whole records, of which at least one is not blank.
        dialect: marks of the file.
        columns: number of cells that a row must have.
        indices: indices of the requested columns.

    Raises:
        pa.ArrowInvalid: pyarrow can't parse the records.
        OverflowError: the records are too many bytes for pyarrow.
    """
    records, delimiter = _plain(records, dialect)
    restore: Callable[[bytes], bytes] | None = None
    if delimiter != dialect.delimiter:
        restore = functools.partial(_restored, spare=delimiter, delimiter=dialect.delimiter)
    if not is_valid_utf8(records):
        # pyarrow gives rejected rows as text, and any bytes are valid Latin-1.
        records = records.decode("latin-1").encode()
        restore = functools.partial(_from_latin1, then=restore)
    bad: list[BadRow] = []

    def refuse(row: Any) -> str:
        content = row.text.encode()
        bad.append(BadRow(restore(content) if restore else content, row.actual_columns))
        return "skip"

    # Columns are named by number, since two columns may have the same name.
    numbers = [str(i) for i in range(columns)]
    wanted = [numbers[i] for i in indices]
    table = pa.csv.read_csv(
        # The input begins with a line end, since pyarrow drops a byte order mark at the start of its input.
        pa.BufferReader(b"\n" + records),
        # All records are one block, so that a record may have any length.
        read_options=pa.csv.ReadOptions(column_names=numbers, block_size=len(records) + 2, use_threads=False),
        parse_options=pa.csv.ParseOptions(
            delimiter=delimiter.decode(),
            quote_char='"' if dialect.quoted else False,
            escape_char=dialect.escape.decode() or False,
            newlines_in_values=True,
            invalid_row_handler=refuse,
        ),
        convert_options=pa.csv.ConvertOptions(
            include_columns=wanted, column_types=dict.fromkeys(wanted, pa.large_binary())
        ),
    )
    cells = [column.to_pylist() for column in table.columns]
    return Parsed(bad, [list(map(restore, column)) for column in cells] if restore else cells)


def parse_rows(records: bytes, dialect: Dialect, encoding: str) -> list[list[str]]:
    """Parses a few records with Python's csv module, for rows of any number of cells.

    Raises:
        csv.Error: the records can't be parsed, or a cell has more than 131,072 characters.
    """
    records, delimiter = _plain(records, dialect)
    rows = csv.reader(
        io.StringIO(records.decode(encoding, errors="replace"), newline=""),
        delimiter=delimiter.decode(),
        quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
        escapechar=dialect.escape.decode() or None,
    )
    restored = dialect.delimiter.decode(encoding, errors="replace")
    return [[cell.replace(delimiter.decode(), restored) for cell in row] for row in rows]


def _plain(records: bytes, dialect: Dialect) -> tuple[bytes, bytes]:
    """Writes records in marks that pyarrow and the csv module know.

    Returns:
        The records, with blanks before cells left out, and with a second escape character before one that escapes
        nothing; and their delimiter, an ASCII character.
    """
    if dialect.escape and dialect.escape in records:
        records = _stray_escape(dialect).sub(_doubled, records)
    if dialect.skips_blanks:
        records = _blanks(dialect).sub(rb"\1\2", records)
    delimiter = dialect.delimiter
    if len(delimiter) > 1 or not delimiter.isascii():
        spare = next((mark for mark in _SPARE if mark not in records and mark != dialect.escape), None)
        if spare is None:
            raise pa.ArrowInvalid("it holds every control character")
        records, delimiter = records.replace(delimiter, spare), spare
    return records, delimiter


@functools.cache
def _stray_escape(dialect: Dialect) -> re.Pattern[bytes]:
    """Returns a pattern for an escape character; with what it escapes, that is in group 1."""
    escape = re.escape(dialect.escape)
    return re.compile(rb'(%b(?:%b|["\r\n]|%b))|%b' % (escape, re.escape(dialect.delimiter), escape, escape))


def _doubled(match: re.Match[bytes]) -> bytes:
    return match[1] or match[0] * 2


@functools.cache
def _blanks(dialect: Dialect) -> re.Pattern[bytes]:
    """Returns a pattern for the start of a cell (group 1), spaces, and a quoted cell (group 2)."""
    quoted = rb'"(?:[^"]|"")*"?' if dialect.quoted else b""
    if dialect.escape:
        quoted = quoted.replace(b'[^"]', rb'[^"%b]|%b.' % ((re.escape(dialect.escape),) * 2))
    pair = rb'%b.[ "]*|' % re.escape(dialect.escape) if dialect.escape else b""
    start = rb"%b\A|%b|[\r\n]" % (pair, re.escape(dialect.delimiter))
    return re.compile(rb"(%b) *((?:%b)?)" % (start, quoted), re.DOTALL)


def _from_latin1(raw: bytes, *, then: Callable[[bytes], bytes] | None) -> bytes:
    raw = raw.decode().encode("latin-1")
    return then(raw) if then else raw


def _restored(raw: bytes, *, spare: bytes, delimiter: bytes) -> bytes:
    return raw.replace(spare, delimiter)


def joined_cells(columns: Sequence[Sequence[bytes]], separator: bytes | None) -> Iterator[bytes]:
    """Yields the documents of rows: the cells of a row that are not empty, joined.

    Args:
        columns: cells of each column, all of the same number.
        separator: bytes between two cells; None to make each cell a document.
    """
    if len(columns) == 1:
        yield from columns[0]
    elif separator is None:
        yield from (cell for row in zip(*columns, strict=True) for cell in row)
    else:
        yield from (separator.join(filter(None, row)) for row in zip(*columns, strict=True))
