"""Checks by the first rows of a delimited file that its dialect fits, and names the option that would fit."""

import contextlib
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from textgen.corpus.readers.base import TableOptions
from textgen.corpus.readers.columns import column_indices, missing_column_error, shortened, shown_name
from textgen.corpus.readers.csv_records import closings, is_unclosed, record_ends
from textgen.corpus.readers.table_head import BadHeaderError, Start, TableHead, first_rows, head_in
from textgen.errors import UserError

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
"""Delimiters that are tried where a dialect does not fit, and their names."""

_FEWEST_ROWS = 2
"""Number of rows that must all have as many cells as no header, for an error before any row is read."""


class TableFile(NamedTuple):
    """A delimited file whose head is checked.

    Attributes:
        path: its path.
        kind: name of its format.
        start: its start.
        text_field: the columns that hold the documents.
        options: settings of the table.
    """

    path: str
    kind: str
    start: Start
    text_field: str | None
    options: TableOptions


def check_table(file: TableFile, head: TableHead) -> str | None:
    """Checks the first rows of a file.

    Returns:
        A remark on a choice that the file's content decided; None if there was none.

    Raises:
        UserError: a column is missing, or the first rows show that the dialect does not fit.
    """
    rows = first_rows(head, file.start)
    found = bool(column_indices(head.names, file.text_field))
    for error in _faults(file, head, rows, found):
        raise error
    if not found:
        names = head.names if file.options.header != "none" else _numbered(head, file)
        raise missing_column_error(file.path, file.kind, names, file.text_field, hint=_header_hint(file, head, rows))
    if head.dialect.delimiter == b"\t" and file.options.quoting == "auto":
        chosen = "csv, since their first rows have quoted cells" if head.dialect.quoted else "none"
        return f"read with --quoting {chosen}"
    return None


def _faults(file: TableFile, head: TableHead, rows: list[list[str]], found: bool) -> Iterator[UserError]:
    """Yields errors for a dialect that does not fit."""
    if not file.options.delimiter and (not found or len(head.names) == 1):
        yield from _other_delimiter(file, head, fits=len(head.names) > 1 and not _misfits(head, rows))
    if head.dialect.quoted and not file.options.skip_blanks:
        yield from _blanks(file, head, rows, found)
    if found and head.dialect.quoted:
        yield from _unclosed(file, head, rows)
    if found and file.options.header == "auto":
        yield from _header_is_data(file, head, rows)
    if found and len(rows) >= _FEWEST_ROWS:
        yield from _other_width(file, head, rows)


def _other_delimiter(file: TableFile, head: TableHead, *, fits: bool) -> Iterator[UserError]:
    """Yields an error for a delimiter that gives every row the same number of cells; `fits`: the present one does."""
    tried = []
    for delimiter, name in _DELIMITERS.items():
        other = _with(file, head, delimiter=delimiter.encode())
        if delimiter.encode() != head.dialect.delimiter and other and len(other.names) > 1 and _fits(other, file):
            holds_field = bool(column_indices(other.names, file.text_field))
            if holds_field or not fits:
                tried.append((holds_field, len(other.names), name, other))
    if tried:
        holds_field, _, name, other = max(tried, key=itemgetter(0, 1))
        named = _numbered(other, file) if file.options.header == "none" else list(map(shown_name, other.names))
        field = "" if holds_field else f", and --text-field with one of its columns: {', '.join(named[:20])}"
        yield UserError(
            f"{file.path} is read as a {file.kind} file, but its cells are separated by a {name}. "
            f"Add --delimiter {name}{field}."
        )


def _blanks(file: TableFile, head: TableHead, rows: list[list[str]], found: bool) -> Iterator[UserError]:
    other = _with(file, head, skips_blanks=True)
    if not other or not column_indices(other.names, file.text_field or other.names[0]) or not _fits(other, file):
        return
    quoted = any(name.lstrip(" ").startswith('"') for name in head.names)
    if (not found and other.names != head.names) or quoted or _misfits(head, rows):
        if first_rows(other, file.start) == rows and other.names == head.names:
            return
        yield UserError(
            f"{file.path} has spaces between a delimiter and a cell, and is read with them, so that a quotation mark "
            f"after them encloses nothing. Add --skip-initial-space; its columns are then "
            f"{', '.join(map(shown_name, other.names[:20]))}."
        )


def _unclosed(file: TableFile, head: TableHead, rows: list[list[str]]) -> Iterator[UserError]:
    """Yields an error for marks that are text, and for marks that are escaped."""
    begin, content = head.start, file.start.content
    if _is_closed(file, head):
        return
    escaped = _with(file, head, escape=b"\\")
    may_be_escaped = file.options.escape is None and rb"\"" in content[begin:] and escaped
    if may_be_escaped and escaped and _fits(escaped, file) and _is_closed(file, escaped):
        yield UserError(
            f"{file.path} has quotation marks after a backslash inside quoted cells, which end a cell of a "
            f"{file.kind} file. Add --escape backslash, or --escape none to read them as they are."
        )
    plain = _with(file, head, quoted=False)
    line = _unclosed_line(file, head)
    if file.options.quoting == "auto" and line and plain and _fits(plain, file):
        yield UserError(
            f"{file.path} has a quotation mark in line {line:,} that opens a cell and is not closed before a "
            f"delimiter or line end, so that rows run together. Add --quoting none to read marks as text, or "
            "--quoting csv to leave such rows out."
        )


def _is_closed(file: TableFile, head: TableHead) -> bool:
    return all(closings(file.start.content[head.start :], head.dialect, whole=file.start.whole))


def _unclosed_line(file: TableFile, head: TableHead) -> int:
    """Returns the number of the line in which the first record with an unclosed quote begins; 0 for none."""
    start, content = head.start, file.start.content
    ends = list(record_ends(content[start:], head.dialect))
    for begin, end in zip([0, *ends], [*ends, len(content)], strict=True):
        cut = end == len(content) and not file.start.whole
        if not cut and is_unclosed(content[start + begin : start + end], head.dialect):
            return content.count(head.dialect.line_end, 0, start + begin) + 1
    return 0


def _header_is_data(file: TableFile, head: TableHead, rows: list[list[str]]) -> Iterator[UserError]:
    """Yields an error for a text field of several words in a first row that continues in the rows below it."""
    indices = column_indices(head.names, file.text_field)
    if not any(" " in head.names[i].strip() for i in indices) or not _continues(head.names, rows):
        return
    numbers = ",".join(str(i + 1) for i in indices)
    yield UserError(
        f"{file.path} has no header row: its first row, {' | '.join(map(shortened, head.names[:5]))}, is data as the "
        f"rows below it. Add --header none and --text-field {numbers}, or --header first if it is a header."
    )


def _continues(names: list[str], rows: list[list[str]]) -> bool:
    """Returns whether a cell of the first row recurs in its column, or counts on in the next row."""
    rows = [row for row in rows if len(row) == len(names) and row != names]
    for i, name in enumerate(names):
        below = [row[i] for row in rows]
        if name.strip() and name in below:
            return True
        if below and name.isdecimal() and below[0].isdecimal() and int(below[0]) == int(name) + 1:
            return True
    return False


def _other_width(file: TableFile, head: TableHead, rows: list[list[str]]) -> Iterator[UserError]:
    widths = {len(row) for row in rows}
    if len(head.names) in widths:
        return
    count, most = len(head.names), len(rows)
    if len(widths) > 1 or file.options.header == "none":
        remedy = "Look at --delimiter, --quoting and --skip-rows."
    else:
        (width,) = widths
        numbers = ",".join(str(i + 1) for i in column_indices(head.names, file.text_field) if i < width)
        skipped = file.start.content.count(head.dialect.line_end, 0, head.start)
        remedy = (
            f"If each cell is in the column of its name, add --skip-rows {skipped} --header none --text-field "
            f"{numbers}, so that columns are named by number."
        )
    found = " or ".join(map(str, sorted(widths)))
    yield UserError(
        f"{file.path} has a header of {count} cells ({', '.join(map(shortened, head.names[:5]))}), but {found} cells "
        f"in each of its first {most} rows, as in {' | '.join(map(shortened, rows[0][:5]))}. {remedy}"
    )


def _header_hint(file: TableFile, head: TableHead, rows: list[list[str]]) -> str:
    """Returns a sentence on --header none, if the first row may be data."""
    if file.options.header != "auto" or not head.names:
        return ""
    if _continues(head.names, rows) or any(name.strip().isdecimal() or len(name) > 60 for name in head.names):
        return "If its first row is data, add --header none; columns are then named 1, 2, …"
    return ""


def _numbered(head: TableHead, file: TableFile) -> list[str]:
    """Returns the names of columns by number, each with a sample."""
    rows = first_rows(head, file.start)[:1] or [[""] * len(head.names)]
    return [f"{name} ({shortened(cell)!r})" for name, cell in zip(head.names, rows[0], strict=False)]


def _with(file: TableFile, head: TableHead, **marks: bytes | bool) -> TableHead | None:
    """Returns the head that another dialect gives; None if it can't be read."""
    dialect = head.dialect._replace(**marks)  # type: ignore[arg-type]
    with contextlib.suppress(BadHeaderError):
        return head_in(dialect, file.start, head.begin, with_header=file.options.header != "none")
    return None


def _fits(head: TableHead, file: TableFile) -> bool:
    """Returns whether all first rows have as many cells as the header."""
    return not _misfits(head, first_rows(head, file.start))


def _misfits(head: TableHead, rows: list[list[str]]) -> bool:
    return any(len(row) != len(head.names) for row in rows)
