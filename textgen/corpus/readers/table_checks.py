"""Checks by the first rows of a delimited file that its dialect fits, and names the option that would fit."""

import contextlib
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from textgen.corpus.readers.base import TableOptions
from textgen.corpus.readers.columns import column_indices, missing_column_error, shortened, shown_name
from textgen.corpus.readers.csv_records import Dialect, closings, is_unclosed, record_ends
from textgen.corpus.readers.table_head import BadHeaderError, Start, TableHead, first_rows, head_in
from textgen.errors import UserError

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", ":": "colon"}
"""Delimiters that are tried where a dialect does not fit, and their names."""

_MAX_SKIPPED = 20
"""Maximum number of lines before a table in which its header is searched for."""

_MANY_WORDS = 5
"""Number of words from which a column's name is remarked on."""

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
    return "; ".join(_remarks(file, head, rows)) or None


def _remarks(file: TableFile, head: TableHead, rows: list[list[str]]) -> Iterator[str]:
    if head.dialect.delimiter == b"\t" and file.options.quoting == "auto":
        chosen = "csv, since their first rows have quoted cells" if head.dialect.quoted else "none"
        yield f"read with --quoting {chosen}"
    indices = column_indices(head.names, file.text_field)
    words = max(len(head.names[i].split()) for i in indices)
    if file.options.header == "auto" and (
        words >= _MANY_WORDS or (words > 1 and any(name.strip().isdecimal() for name in head.names))
    ):
        yield f"read with the header {_row(head.names)}; add --header none if it is data"
    cells = [row[i].strip() for row in rows if len(row) == len(head.names) for i in indices if row[i][:1] == " "]
    if (
        head.dialect.quoted
        and cells
        and len(cells) == len(rows)
        and all(cell[:1] == '"' == cell[-1:] for cell in cells)
    ):
        yield "read with spaces and quotation marks around its texts; add --skip-initial-space to leave them out"


def _faults(file: TableFile, head: TableHead, rows: list[list[str]], found: bool) -> Iterator[UserError]:
    """Yields errors for a dialect that does not fit."""
    if not file.options.delimiter and (not found or len(head.names) == 1):
        yield from _other_delimiter(file, head, fits=len(head.names) > 1 and not _misfits(head, rows))
    if not found and file.text_field and file.options.header != "none":
        yield from _header_below(file, head)
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
                tried.append((holds_field, delimiter != ":", len(other.names), name, other))
    if tried:
        holds_field, _, _, name, other = max(tried, key=itemgetter(0, 1, 2))
        named = _numbered(other, file) if file.options.header == "none" else list(map(shown_name, other.names))
        field = "" if holds_field else f", and --text-field with one of its columns: {', '.join(named[:20])}"
        yield UserError(
            f"{file.path} is read as a {file.kind} file, but its cells are separated by a {name}. "
            f"Add --delimiter {name}{field}."
        )


def _header_below(file: TableFile, head: TableHead) -> Iterator[UserError]:
    """Yields an error for a header row that is below other lines."""
    begin = head.begin
    for _ in range(_MAX_SKIPPED):
        begin = file.start.content.find(head.dialect.line_end, begin) + 1
        other = _at(file, head.dialect, begin) if begin else None
        if other and column_indices(other.names, file.text_field) and _fits(other, file):
            skipped = file.start.content.count(head.dialect.line_end, 0, begin)
            yield UserError(
                f"{file.path} has its header {_row(other.names)} in line {skipped + 1}, below other lines. "
                f"Add --skip-rows {skipped}."
            )
            return


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
    if _is_closed(file, head) and not _misfits(head, rows):
        return
    escaped = _with(file, head, escape=b"\\")
    may_be_escaped = any(mark in file.start.content for mark in (rb"\"", b"\\" + head.dialect.delimiter))
    tried = escaped if file.options.escape is None and may_be_escaped else None
    if tried and _fits(tried, file) and _is_closed(file, tried):
        yield UserError(
            f"{file.path} has quotation marks or delimiters after a backslash, which end a cell of a {file.kind} "
            "file. Add --escape backslash, or --escape none to read them as they are."
        )
    if _is_closed(file, head):
        return
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
        f"{file.path} has no header row: its first row, {_row(head.names)}, is data as the "
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
    found = " or ".join(map(str, sorted(widths)))
    yield UserError(
        f"{file.path} has a header of {len(head.names)} cells ({_row(head.names)}), but {found} in each of its first "
        f"{len(rows)} rows, as in {_row(rows[0])}. {_width_remedy(file, head, rows)}"
    )


def _width_remedy(file: TableFile, head: TableHead, rows: list[list[str]]) -> str:
    """Returns a sentence on how rows with another number of cells than the header can be read."""
    width, count = len(rows[0]), len(head.names)
    skipped = file.start.content.count(head.dialect.line_end, 0, head.start)
    if any(len(row) != width for row in rows):
        return "Look at --delimiter and --quoting."
    if width > count and not any(cell for row in rows for cell in row[count:]):
        numbers = ",".join(str(i + 1) for i in column_indices(head.names, file.text_field))
        return f"The further cells are empty: add --skip-rows {skipped} --header none --text-field {numbers}."
    for delimiter, name in _DELIMITERS.items() if width == 1 else ():
        others = [len(row) for row in _rows_at(file, head, delimiter.encode())]
        if others and set(others) == {others[0]} and others[0] > 1:
            columns = _numbered_row(_rows_at(file, head, delimiter.encode())[0])
            return (
                f"The rows are separated by a {name}: add --skip-rows {skipped} --header none --delimiter {name}, "
                f"and --text-field with one of the columns {', '.join(columns)}."
            )
    return (
        f"To read them by the numbers of their columns, add --skip-rows {skipped} --header none, and --text-field "
        f"with one of {', '.join(_numbered_row(rows[0]))}."
    )


def _rows_at(file: TableFile, head: TableHead, delimiter: bytes) -> list[list[str]]:
    """Returns the rows after the header with another delimiter."""
    return first_rows(head._replace(dialect=head.dialect._replace(delimiter=delimiter)), file.start)


def _row(cells: list[str]) -> str:
    """Returns the first cells of a row for an error."""
    return " | ".join(map(shortened, cells[:5]))


def _numbered_row(row: list[str]) -> list[str]:
    """Returns the numbers of the first columns, each with its cell."""
    return [f"{i + 1} ({shortened(cell)!r})" for i, cell in enumerate(row[:10])]


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
    return _at(file, head.dialect._replace(**marks), head.begin)  # type: ignore[arg-type]


def _at(file: TableFile, dialect: Dialect, begin: int) -> TableHead | None:
    """Returns the head at an offset; None if it can't be read."""
    with contextlib.suppress(BadHeaderError):
        return head_in(dialect, file.start, begin, with_header=file.options.header != "none")
    return None


def _fits(head: TableHead, file: TableFile) -> bool:
    """Returns whether all first rows have as many cells as the header."""
    return not _misfits(head, first_rows(head, file.start))


def _misfits(head: TableHead, rows: list[list[str]]) -> bool:
    return any(len(row) != len(head.names) for row in rows)
