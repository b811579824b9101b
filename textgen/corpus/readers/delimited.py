"""Reader of CSV and TSV files, in which one column holds the documents."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv

from textgen.corpus.batching import Item, Origin, batches
from textgen.corpus.encodings import is_valid_utf8
from textgen.corpus.readers.base import FileRange, InputFile, OpenFile, ReadOptions, Rejected, TextBatch
from textgen.corpus.readers.columns import missing_column_error
from textgen.corpus.readers.csv_records import read_record, read_record_blocks
from textgen.corpus.text_files import is_splittable, open_text, shortened_error, text_encoding, text_end
from textgen.errors import UserError, one_line

_HEADER_BYTES = 100_000
"""Maximum size of the header row, below the maximum size of a cell in Python's csv module."""

_BLOCKS_A_RANGE = 8
"""Ranges end where blocks do, so the size of a range is exact to an eighth."""


class DelimitedReader:
    """Reads the column `text_field` of delimited files that start with a header row: one document per cell."""

    has_columns = True

    def __init__(self, kind: str, *, delimiter: str, endings: tuple[str, ...]) -> None:
        self._kind = kind
        self._delimiter = delimiter
        self.endings = endings

    def check(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> None:
        """Checks the header row.

        Raises:
            UserError: the file has no header row, or no column `text_field`.
        """
        with open_text(file, open_file, options) as opened:
            self._read_header(opened, file, options)

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns byte ranges of whole records, of about `unit_bytes` each, after the header row.

        Raises:
            UserError: the file has no header row, or no column `text_field`.
        """
        if not is_splittable(file):
            return [(0, file.size)]
        with open_text(file, open_file, options) as opened:
            self._read_header(opened, file, options)
            block_bytes = max(1, min(unit_bytes // _BLOCKS_A_RANGE, options.limits.batch_bytes))
            return self._ranges(opened, file.size, unit_bytes, block_bytes)

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the column's cells; rows whose number of cells differs from the header's are rejected.

        Raises:
            UserError: the file is damaged or has become shorter, or a cell is invalid and `on_invalid` is "fail".
        """
        with open_text(file_range.file, open_file, options) as opened:
            columns, index = self._read_header(opened, file_range.file, options)
            if file_range.start:
                opened.seek(file_range.start)
            end, block_bytes = text_end(file_range), options.limits.batch_bytes
            records = self._records(opened, file_range, end, block_bytes)
            found = self._cells(records, file_range.file.path, columns, index)
            yield from batches(found, Origin(file_range.file, text_encoding(file_range.file), options))

    def _read_header(self, opened: BinaryIO, file: InputFile, options: ReadOptions) -> tuple[int, int]:
        """Returns the number of columns and the index of `text_field`; zeros for an empty file."""
        record = b"\n"
        while record and not record.strip(b"\r\n"):
            record = read_record(opened, self._delimiter, most_bytes=_HEADER_BYTES)
        if not record:
            return 0, 0
        if len(record) >= _HEADER_BYTES:
            raise self._no_header(file.path, f"its first row has at least {_HEADER_BYTES:,} bytes")
        names, *more = self._rows(record.decode(text_encoding(file), errors="replace"), file.path)
        if more:
            raise UserError(
                f"{file.path} has lines that end with only a carriage return; lines of a {self._kind} file must "
                "end with a line feed. Convert it, for example with: tr '\\r' '\\n'."
            )
        if options.text_field not in names:
            raise missing_column_error(file.path, self._kind, names, options.text_field)
        return len(names), names.index(options.text_field)

    def _rows(self, text: str, path: str) -> list[list[str]]:
        try:
            return list(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter))
        except csv.Error as error:
            raise self._no_header(path, one_line(error)) from error

    def _no_header(self, path: str, fault: str) -> UserError:
        return UserError(
            f"{path} has no readable header row, which a {self._kind} file must start with: {fault}. "
            "Look for a quotation mark that is never closed, or use another --format."
        )

    def _ranges(self, file: BinaryIO, end: int, wanted_bytes: int, block_bytes: int) -> list[tuple[int, int]]:
        """Returns ranges of whole records, of about `wanted_bytes` each, that cover the rest of the file."""
        start = position = file.tell()
        count = max(1, round((end - start) / wanted_bytes))
        edges, reached = [start], 0
        for records in read_record_blocks(file, self._delimiter, block_bytes=block_bytes, end=end):
            position += len(records)
            if (position - start) * count // (end - start) > reached:
                edges.append(position)
                reached = (position - start) * count // (end - start)
        return list(zip(edges, edges[1:], strict=False))

    def _records(
        self, file: BinaryIO, file_range: FileRange, end: float, block_bytes: int
    ) -> Iterator[tuple[int, bytes]]:
        """Yields the range in blocks of whole records, so that memory does not depend on its size.

        Yields:
            The offset at which the block ends, and the block.

        Raises:
            UserError: the file ends before the range does.
        """
        position = file.tell()
        for records in read_record_blocks(file, self._delimiter, block_bytes=block_bytes, end=end):
            position += len(records)
            yield position, records
        if position < end == file_range.end:
            raise shortened_error(file_range.file.path)

    def _cells(self, blocks: Iterator[tuple[int, bytes]], path: str, columns: int, index: int) -> Iterator[Item]:
        for position, records in blocks:
            if not records.strip(b"\r\n"):
                continue
            try:
                yield from _parsed(records, self._delimiter, columns, index)
            except (pa.ArrowInvalid, OverflowError) as error:
                raise UserError(
                    f"{path} can't be read as a {self._kind} file near byte {position:,}: {one_line(error)}. "
                    "Look for a quotation mark that is never closed."
                ) from error


def _parsed(records: bytes, delimiter: str, columns: int, index: int) -> Iterator[Item]:
    """Yields the rows whose number of cells differs from the header's as rejected, then the cells of one column."""
    as_found: Callable[[bytes], bytes] = bytes
    if not is_valid_utf8(records):
        # pyarrow gives rejected rows as text, and any bytes are valid Latin-1.
        records = records.decode("latin-1").encode()
        as_found = _from_latin1
    rejected: list[Rejected] = []

    def refuse(row: Any) -> str:
        rejected.append(Rejected("malformed row", as_found(row.text.encode())))
        return "skip"

    # Columns are named by number, since two columns may have the same name.
    numbers = [str(i) for i in range(columns)]
    table = pa.csv.read_csv(
        # The input begins with a line end, since pyarrow drops a byte order mark at the start of its input.
        pa.BufferReader(b"\n" + records),
        # All records are one block, so that a record may have any length.
        read_options=pa.csv.ReadOptions(column_names=numbers, block_size=len(records) + 2, use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
        convert_options=pa.csv.ConvertOptions(
            include_columns=[numbers[index]], column_types={numbers[index]: pa.large_binary()}
        ),
    )
    cells = table[0].to_pylist()
    yield from rejected
    yield from map(as_found, cells)


def _from_latin1(raw: bytes) -> bytes:
    return raw.decode().encode("latin-1")
