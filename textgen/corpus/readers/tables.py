"""CSV files, of which one column holds the documents.

A record ends at a newline that an even number of quotation marks precedes (RFC 4180). Counting marks is quick,
so one big file can be cut between records without parsing it, and its parts parsed side by side.
"""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv

from textgen.corpus.pieces import BATCH_BYTES, Batch, OpenFile, Piece, batches
from textgen.corpus.readers.documents import BYTE_ORDER_MARK
from textgen.errors import UserError

_SCAN_BYTES = 1 << 22


class TableReader:
    """The column `text_field` of a CSV file with a header line."""

    has_columns = True

    def check(self, path: str, open_file: OpenFile, text_field: str | None) -> None:
        """Raises UserError if no column is named, or the file has none of that name."""
        with open_file(path) as file:
            _column_index(_names(_first_record(file)), text_field, path)

    def divide(self, path: str, size: int, unit_bytes: int, open_file: OpenFile) -> list[tuple[int, int]]:
        """Ranges that end between records; the header belongs to none."""
        with open_file(path) as file:
            return _ranges(file, len(_first_record(file)), size, unit_bytes)

    def read(self, piece: Piece, open_file: OpenFile, text_field: str | None) -> Iterator[Batch]:
        """The column's cells; rows with another number of cells than the header are counted as malformed."""
        with open_file(piece.path) as file:
            names = _names(_first_record(file))
            index = _column_index(names, text_field, piece.path)
            # A piece is parsed a part at a time, so that its size does not tell on the memory.
            for start, end in _ranges(file, piece.start, piece.end, BATCH_BYTES):
                # With the newline before it, since pyarrow drops a byte order mark at the start of what it is given.
                file.seek(start - 1)
                data = file.read(end - start + 1)
                if data.strip(b"\r\n"):
                    cells, malformed = _column(data, names, index)
                    if malformed:
                        yield Batch(malformed=malformed)
                    yield from batches(cells)


def _column_index(names: list[str], text_field: str | None, path: str) -> int:
    found = f"{path} is a CSV file with the columns {', '.join(names)}"
    if text_field is None:
        raise UserError(f"{found}. Name the one that holds the documents with --text-field.")
    if text_field not in names:
        raise UserError(f"{found}, and none named {text_field!r}. Name one of them with --text-field.")
    return names.index(text_field)


def _first_record(file: BinaryIO) -> bytes:
    record = file.readline()
    while record.count(b'"') % 2:
        line = file.readline()
        if not line:
            break
        record += line
    return record


def _names(header: bytes) -> list[str]:
    text = header.removeprefix(BYTE_ORDER_MARK).decode(errors="replace")
    return next(csv.reader(io.StringIO(text, newline="")), [])


def _ranges(file: BinaryIO, start: int, end: int, wanted_bytes: int) -> list[tuple[int, int]]:
    """The records from `start` to `end` in ranges of about the size wanted, each of whole records."""
    count = max(1, round((end - start) / wanted_bytes))
    wanted = [start + (end - start) * i // count for i in range(1, count)]
    edges = [start, *_record_ends(file, start, wanted), end]
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if a < b]


def _record_ends(file: BinaryIO, start: int, wanted: list[int]) -> Iterator[int]:
    """For each wanted position, the first end of a record after it; ascending, without repeats."""
    file.seek(start)
    position, quotes, last = start, 0, start
    for target in wanted:
        if target < last:
            continue
        while position < target:
            block = file.read(min(_SCAN_BYTES, target - position))
            if not block:
                return
            quotes += block.count(b'"')
            position += len(block)
        line = b"\n"
        while line and (quotes % 2 or position == target):
            line = file.readline()
            quotes += line.count(b'"')
            position += len(line)
        last = position
        yield position


def _column(data: bytes, names: list[str], index: int) -> tuple[Iterator[bytes], int]:
    """The cells of one column as raw bytes, and the number of rows passed over."""
    malformed = 0

    def pass_over(row: object) -> str:
        nonlocal malformed
        malformed += 1
        return "skip"

    # Columns are named by number, since a header may name two alike.
    numbers = [str(i) for i in range(len(names))]
    table = pa.csv.read_csv(
        pa.BufferReader(data),
        # One block holds all, so that a record of any length fits.
        read_options=pa.csv.ReadOptions(column_names=numbers, block_size=len(data) + 1, use_threads=False),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=pass_over),
        convert_options=pa.csv.ConvertOptions(
            include_columns=[numbers[index]], column_types={numbers[index]: pa.large_binary()}
        ),
    )
    return (cell.as_py() for chunk in table[0].chunks for cell in chunk), malformed
