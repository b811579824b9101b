"""Reader of CSV and TSV files, in which columns hold the documents."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from textgen.corpus.batching import Found, Origin, batches
from textgen.corpus.encodings import is_part_of_others
from textgen.corpus.readers.base import FileRange, InputFile, OpenFile, ReadOptions, Rejected, TextBatch
from textgen.corpus.readers.csv_parsing import parse_block
from textgen.corpus.readers.csv_records import TOO_LARGE, RecordBlock, RecordReader
from textgen.corpus.readers.table_checks import TableFile, check_table
from textgen.corpus.readers.table_columns import TableColumns
from textgen.corpus.readers.table_head import BadHeaderError, Start, TableHead, read_head
from textgen.corpus.text_files import is_splittable, open_text, shortened_error, text_encoding, text_end
from textgen.errors import UserError, one_line

_START_BYTES = 1 << 18
"""Number of bytes at the start of a file by which its dialect is found."""

_HEADER_BYTES = 8 << 20
"""Maximum size of the header row."""

_BLOCKS_A_RANGE = 8
"""Ranges end where blocks do, so the size of a range is exact to an eighth."""


class DelimitedReader:
    """Reads the columns `text_field` of delimited files: one document per row."""

    has_columns = True

    def __init__(self, kind: str, *, delimiter: str, endings: tuple[str, ...]) -> None:
        self._kind = kind
        self._delimiter = delimiter
        self.endings = endings

    def check(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> str | None:
        """Checks the header row and the first rows.

        Returns:
            A remark on a choice that the file's content decided; None if there was none.

        Raises:
            UserError: the header row can't be read, there is no column `text_field`, or another dialect fits.
        """
        start, head = self._start(file, open_file, options)
        if not head.names:
            return None
        remark = check_table(TableFile(file.path, self._kind, start, options.text_field, options.tables), head)
        TableColumns(head.names, file, self._kind, options)
        return remark

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns byte ranges of whole records, of about `unit_bytes` each, after the header row.

        Raises:
            UserError: the header row can't be read, or there is no column `text_field`.
        """
        if not is_splittable(file):
            return [(0, file.size)]
        head, _ = self._head(file, open_file, options)
        with open_text(file, open_file, options) as opened:
            opened.seek(opened.tell() + head.start)
            block_bytes = max(1, min(unit_bytes // _BLOCKS_A_RANGE, options.limits.batch_bytes))
            records = _records(opened, head, options, file.size, block_bytes)
            return _ranges(records, opened.tell(), file.size, unit_bytes)

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the documents of the rows; rows that can't be read are rejected with their reason.

        Raises:
            UserError: the file is damaged or has become shorter, or a cell is invalid and `on_invalid` is "fail".
        """
        file = file_range.file
        head, columns = self._head(file, open_file, options)
        with open_text(file, open_file, options) as opened:
            if file_range.start:
                opened.seek(file_range.start)
            else:
                _skip_bytes(opened, head.start)
            end = text_end(file_range)
            blocks = _records(opened, head, options, end, options.limits.batch_bytes)
            placed = _placed(blocks, opened.tell(), file_range, end)
            found = self._items(placed, head, columns, _FaultLines(file, open_file, options))
            yield from batches(found, Origin(file, text_encoding(file), options))

    def _start(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> tuple[Start, TableHead]:
        """Reads the start of a file up to the first rows, and more where the header row is longer."""
        for size in (_START_BYTES, _HEADER_BYTES):
            with open_text(file, open_file, options) as opened:
                content = opened.read(size)
                start = Start(content, not opened.read(1), text_encoding(file))
            _check_marks(file, options)
            try:
                head = read_head(start, self._delimiter, options.tables)
            except BadHeaderError as error:
                raise self._no_header(file.path, one_line(error)) from error
            if head:
                return start, head
        raise self._no_header(file.path, f"its first row has at least {_HEADER_BYTES:,} bytes")

    def _head(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> tuple[TableHead, TableColumns]:
        """Returns the head of a file and its columns to read; none for a file without rows."""
        _, head = self._start(file, open_file, options)
        return head, TableColumns(head.names, file, self._kind, options)

    def _no_header(self, path: str, fault: str) -> UserError:
        return UserError(
            f"{path} has no readable header row, which a {self._kind} file must start with: {fault}. "
            "Look for a quotation mark that is never closed, add --quoting none if marks are text, or use another "
            "--format."
        )

    def _items(
        self, blocks: Iterator[tuple[int, RecordBlock]], head: TableHead, columns: TableColumns, lines: "_FaultLines"
    ) -> Iterator[Found]:
        for position, block in blocks:
            if block.fault:
                yield lines.rejected(position, block)
            elif block.content.strip(b"\r\n"):
                try:
                    parsed = parse_block(block.content, head.dialect, len(head.names), columns.indices)
                except (pa.ArrowInvalid, OverflowError) as error:
                    end = position + block.size
                    raise UserError(
                        f"{lines.file.path} can't be read as a {self._kind} file near byte {end:,}: "
                        f"{one_line(error)}. Look for a quotation mark that is never closed."
                    ) from error
                for row in parsed.bad:
                    note = f"{row.cells} cells instead of {len(head.names)}"
                    yield Rejected("malformed row", row.content, note)
                yield from columns.documents(parsed.columns)


class _FaultLines:
    """Finds the line of a faulty record of a file; it reads the file again, since such records are rare."""

    def __init__(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> None:
        self.file, self.options = file, options
        self._open_file = open_file
        self._known = False

    def rejected(self, position: int, block: RecordBlock) -> Rejected:
        """Returns a rejected record, the first one with its line."""
        note = f"{block.size:,} bytes" if block.fault == TOO_LARGE else ""
        if not self._known:
            note = f"line {self._line(position):,}{', ' if note else ''}{note}"
        self._known = True
        return Rejected(block.fault, block.content, note)

    def _line(self, position: int) -> int:
        line = 1
        block_bytes = self.options.limits.block_bytes
        with open_text(self.file, self._open_file, self.options) as opened:
            while (left := position - opened.tell()) > 0 and (block := opened.read(min(block_bytes, left))):
                line += block.count(b"\n") or block.count(b"\r")
        return line


def _check_marks(file: InputFile, options: ReadOptions) -> None:
    """Checks that the marks of the dialect can be found in the bytes of the file.

    Raises:
        UserError: the encoding lacks the delimiter, or has a mark as a part of other characters.
    """
    encoding, tables = text_encoding(file), options.tables
    if not tables.delimiter.encode(encoding, "ignore") and tables.delimiter:
        raise UserError(
            f"{file.path} is read as {encoding}, which has no character {tables.delimiter!r} to separate cells. "
            "Give another --delimiter or --encoding."
        )
    for mark in filter(None, (tables.delimiter, tables.escape)):
        if is_part_of_others(mark, encoding):
            raise UserError(
                f"{file.path} is read as {encoding}, in which {mark!r} is a part of other characters too, so that it "
                "can't mark cells. Convert the file to UTF-8 first."
            )


def _records(
    file: BinaryIO, head: TableHead, options: ReadOptions, end: float, block_bytes: int
) -> Iterator[RecordBlock]:
    max_bytes = options.tables.max_row_bytes
    return RecordReader(file, head.dialect, block_bytes=block_bytes, max_bytes=max_bytes, end=end).blocks()


def _ranges(blocks: Iterator[RecordBlock], start: int, end: int, wanted_bytes: int) -> list[tuple[int, int]]:
    """Returns ranges of whole blocks, of about `wanted_bytes` each, that cover the rest of the file."""
    count = max(1, round((end - start) / wanted_bytes))
    if count == 1:
        return [(start, end)] if start < end else []
    edges, position, reached = [start], start, 0
    for block in blocks:
        position += block.size
        if (position - start) * count // (end - start) > reached:
            edges.append(position)
            reached = (position - start) * count // (end - start)
    return list(zip(edges, edges[1:], strict=False))


def _placed(
    blocks: Iterator[RecordBlock], position: int, file_range: FileRange, end: float
) -> Iterator[tuple[int, RecordBlock]]:
    """Yields each block of a range with its offset.

    Raises:
        UserError: the file ends before the range does.
    """
    for block in blocks:
        yield position, block
        position += block.size
    if position < end == file_range.end:
        raise shortened_error(file_range.file.path)


def _skip_bytes(file: BinaryIO, count: int) -> None:
    while count > 0 and (read := file.read(min(count, _START_BYTES))):
        count -= len(read)
