"""CSV and TSV files, of which one column holds the documents."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv

from textgen.corpus.batching import Item, Origin, batches
from textgen.corpus.encodings import is_valid_utf8
from textgen.corpus.readers.base import BATCH_BYTES, FileRange, OpenFile, ReadOptions, Rejected, TextBatch
from textgen.corpus.readers.columns import missing_column_error
from textgen.corpus.readers.csv_records import read_record, read_record_blocks
from textgen.corpus.text_files import is_splittable, open_text, shortened_error, text_encoding, text_end
from textgen.errors import UserError, one_line

_HEADER_BYTES = 100_000
"""No row of names has so many; Python's csv takes no cell that is much longer."""

_BLOCKS_A_RANGE = 8
"""Ranges end where blocks do, so that the sizes of ranges are even to this part."""


class DelimitedReader:
    """The column `text_field` of a file with a header line, whose cells stand apart by a delimiter."""

    has_columns = True

    def __init__(self, kind: str, *, delimiter: str, endings: tuple[str, ...]) -> None:
        self._kind = kind
        self._delimiter = delimiter
        self.endings = endings

    def check(self, path: str, open_file: OpenFile, options: ReadOptions) -> None:
        """Raises UserError if no column is named, or the file has none of that name."""
        with open_text(path, open_file, options) as file:
            self._pass_header(file, path, options)

    def divide(
        self, path: str, size: int, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Ranges that end between records; the header belongs to none."""
        if not is_splittable(path, options):
            return [(0, size)]
        with open_text(path, open_file, options) as file:
            self._pass_header(file, path, options)
            return self._ranges(file, size, unit_bytes)

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """The column's cells; rows with another number of cells than the header are rejected."""
        with open_text(file_range.path, open_file, options) as file:
            columns, index = self._pass_header(file, file_range.path, options)
            if file_range.start:
                file.seek(file_range.start)
            found = self._cells(file, file_range, text_end(file_range, options), columns, index)
            yield from batches(found, Origin(file_range.path, text_encoding(options), options))

    def _pass_header(self, file: BinaryIO, path: str, options: ReadOptions) -> tuple[int, int]:
        """The number of columns, and the index of the one to read; none in an empty file."""
        record = b"\n"
        while record and not record.strip(b"\r\n"):
            record = read_record(file, self._delimiter, most_bytes=_HEADER_BYTES)
        if not record:
            return 0, 0
        if len(record) >= _HEADER_BYTES:
            raise self._no_header(path, f"its first row has {_HEADER_BYTES:,} bytes or more")
        names, *more = self._rows(record.decode(text_encoding(options), errors="replace"), path)
        if more:
            raise UserError(
                f"{path} has lines that end with a carriage return alone; those of a {self._kind} file end with a "
                "line feed. Convert it, for example with: tr '\\r' '\\n'."
            )
        if options.text_field not in names:
            raise missing_column_error(path, self._kind, names, options.text_field)
        return len(names), names.index(options.text_field)

    def _rows(self, text: str, path: str) -> list[list[str]]:
        try:
            return list(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter))
        except csv.Error as error:
            raise self._no_header(path, one_line(error)) from error

    def _no_header(self, path: str, fault: str) -> UserError:
        return UserError(
            f"{path} begins with no row of column names, as a {self._kind} file does: {fault}. "
            "Look for a quotation mark that is never closed, or choose another --format."
        )

    def _ranges(self, file: BinaryIO, end: int, wanted_bytes: int) -> list[tuple[int, int]]:
        """What is left of the file in ranges of about the size wanted, each of whole records."""
        start = position = file.tell()
        count = max(1, round((end - start) / wanted_bytes))
        block_bytes = max(1, min(wanted_bytes // _BLOCKS_A_RANGE, BATCH_BYTES))
        edges, reached = [start], 0
        for records in read_record_blocks(file, self._delimiter, block_bytes=block_bytes, end=end):
            position += len(records)
            if (position - start) * count // (end - start) > reached:
                edges.append(position)
                reached = (position - start) * count // (end - start)
        return list(zip(edges, edges[1:], strict=False))

    def _cells(self, file: BinaryIO, file_range: FileRange, end: float, columns: int, index: int) -> Iterator[Item]:
        position = file.tell()
        # A piece is parsed a part at a time, so that its size does not tell on the memory.
        for records in read_record_blocks(file, self._delimiter, block_bytes=BATCH_BYTES, end=end):
            position += len(records)
            if records.strip(b"\r\n"):
                try:
                    yield from _parsed(records, self._delimiter, columns, index)
                except (pa.ArrowInvalid, OverflowError) as error:
                    raise UserError(
                        f"{file_range.path} can't be read as a {self._kind} file near its byte {position}: "
                        f"{one_line(error)}. Look for a quotation mark that is never closed."
                    ) from error
        if position < end == file_range.end:
            raise shortened_error(file_range.path)


def _parsed(records: bytes, delimiter: str, columns: int, index: int) -> Iterator[Item]:
    """The rows of another width than the header's, then the cells of one column, as raw bytes."""
    as_found: Callable[[bytes], bytes] = bytes
    if not is_valid_utf8(records):
        # pyarrow hands rows over as text, which any bytes are if they are taken for Latin-1.
        records = records.decode("latin-1").encode()
        as_found = _from_latin1
    rejected: list[Rejected] = []

    def refuse(row: Any) -> str:
        rejected.append(Rejected("malformed row", as_found(row.text.encode())))
        return "skip"

    # Columns are named by number, since a header may name two alike.
    numbers = [str(i) for i in range(columns)]
    table = pa.csv.read_csv(
        # After a line end, since pyarrow drops a byte order mark at the start of what it is given.
        pa.BufferReader(b"\n" + records),
        # One block holds all, so that a record of any length fits.
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
