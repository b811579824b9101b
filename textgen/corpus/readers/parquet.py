"""Parquet files, of which one column of strings holds the documents."""

import contextlib
import itertools
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from textgen.corpus.batching import Origin, batches
from textgen.corpus.encodings import to_utf8
from textgen.corpus.readers.base import BATCH_BYTES, FileRange, OpenFile, ReadOptions, Rejected, TextBatch
from textgen.corpus.readers.columns import missing_column_error
from textgen.errors import UserError, one_line

_BUFFER_BYTES = 1 << 20
_MOST_ROWS = 1024
"""At a time; no more, since of cells that repeat themselves the file does not tell how much memory they take."""

_IS_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
_IS_STRING = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


class ParquetReader:
    """The column `text_field`, also one within others as `data.text`.

    The least that is read on its own is a row group; it belongs to the range that its part of the column starts in.
    """

    has_columns = True
    endings: tuple[str, ...] = (".parquet", ".pq")

    def check(self, path: str, open_file: OpenFile, options: ReadOptions) -> None:
        """Raises UserError if no column is named, the file has none of that name, or it holds no strings."""
        with _opened(path, open_file) as file:
            _Column(file, path, options)

    def divide(
        self, path: str, size: int, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Ranges of as many row groups as fit, or of one; together they cover the file."""
        with _opened(path, open_file) as file:
            starts = sorted(_Column(file, path, options).starts())
        edges = [0]
        for start, end in itertools.pairwise([*starts, size]):
            if start > starts[0] and end - edges[-1] > unit_bytes:
                edges.append(start)
        return [(start, end) for start, end in itertools.pairwise([*edges, size]) if start < end]

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the column's cells; null cells are rejected."""
        with _opened(file_range.path, open_file) as file:
            column = _Column(file, file_range.path, options)
            groups = [i for i, start in enumerate(column.starts()) if file_range.start <= start < file_range.end]
            cells = (cell for i in groups for cell in column.cells(i))
            found = (Rejected("empty", b"") if cell is None else to_utf8(cell, column.encoding) for cell in cells)
            yield from batches(found, Origin(file_range.path, "utf-8", options))


@contextlib.contextmanager
def _opened(path: str, open_file: OpenFile) -> Iterator[pa.parquet.ParquetFile]:
    with open_file(path) as file:
        try:
            yield pa.parquet.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{path} can't be read as a Parquet file: {one_line(error)}. It is damaged, cut short, or of another "
                "format. Get it anew, or choose another --format."
            ) from error


class _Column:
    """The column of an opened file that holds the documents."""

    def __init__(self, file: pa.parquet.ParquetFile, path: str, options: ReadOptions) -> None:
        names = [file.schema.column(i).path for i in range(len(file.schema))]
        self._file = file
        self._name = options.text_field or ""
        self._fields = _fields(pa.struct(list(file.schema_arrow)), self._name)
        if not self._fields:
            raise missing_column_error(path, "Parquet", names, options.text_field)
        type = self._fields[-1].type
        value_type = type.value_type if pa.types.is_dictionary(type) else type
        if not any(is_kind(value_type) for is_kind in _IS_STRING + _IS_BYTES):
            raise UserError(
                f"{path} has the type {type} in its column {self._name!r}; documents are strings. "
                "Name another column with --text-field."
            )
        self._index = names.index(self._name)
        # Strings in Parquet are UTF-8 by its definition.
        self.encoding = options.encoding if any(is_bytes(value_type) for is_bytes in _IS_BYTES) else "utf-8"

    def starts(self) -> list[int]:
        """Where in the file each row group's part of the column starts."""
        return [chunk.dictionary_page_offset or chunk.data_page_offset for chunk in map(self._chunk, self._groups())]

    def cells(self, group: int) -> Iterator[bytes | None]:
        """The cells of a row group."""
        chunk = self._chunk(group)
        rows = BATCH_BYTES * chunk.num_values // max(1, chunk.total_uncompressed_size)
        rows = max(1, min(rows, _MOST_ROWS))
        for batch in self._file.iter_batches(rows, row_groups=[group], columns=[self._name], use_threads=False):
            column = batch.column(batch.schema.names.index(self._fields[0].name))
            for field in self._fields[1:]:
                column = pa.compute.struct_field(column, field.name)
            yield from column.cast(pa.large_binary()).to_pylist()

    def _groups(self) -> range:
        return range(self._file.num_row_groups)

    def _chunk(self, group: int) -> pa.parquet.ColumnChunkMetaData:
        return self._file.metadata.row_group(group).column(self._index)


def _fields(struct: pa.StructType, name: str) -> list[pa.Field]:
    """The fields that a path leads through, none if it leads nowhere.

    A name with dots in it goes before a path, and of fields of one name the first.
    """
    named = {field.name: field for field in reversed(list(struct))}
    if name in named:
        return [named[name]]
    first, _, rest = name.partition(".")
    if rest and first in named and pa.types.is_struct(named[first].type):
        within = _fields(named[first].type, rest)
        return [named[first], *within] if within else []
    return []
