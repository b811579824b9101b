"""Reader of Parquet files, in which one column of strings holds the documents."""

import contextlib
import itertools
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from textgen.corpus.batching import Origin, batches
from textgen.corpus.encodings import to_utf8
from textgen.corpus.readers.base import FileRange, InputFile, OpenFile, ReadOptions, Rejected, TextBatch
from textgen.corpus.readers.columns import missing_column_error
from textgen.errors import UserError, one_line

_BUFFER_BYTES = 1 << 20
_MOST_ROWS = 1024
"""Maximum number of rows to read at once; the file does not record how much memory repeated cells take decoded."""

_IS_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
_IS_STRING = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


class ParquetReader:
    """Reads the column `text_field`, which may be nested, such as `data.text`: one document per cell.

    A row group is read as a whole; it belongs to the range in which its column chunk starts.
    """

    has_columns = True
    endings: tuple[str, ...] = (".parquet", ".pq")

    def check(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> None:
        """Checks the schema.

        Raises:
            UserError: the file is damaged, or has no column `text_field` of strings.
        """
        with _opened(file.path, open_file) as opened:
            _Column(opened, file, options)

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns byte ranges of about `unit_bytes` that cover the file, each with at least one row group.

        Raises:
            UserError: the file is damaged, or has no column `text_field` of strings.
        """
        with _opened(file.path, open_file) as opened:
            starts = sorted(_Column(opened, file, options).starts())
        edges = [0]
        for start, end in itertools.pairwise([*starts, file.size]):
            if start > starts[0] and end - edges[-1] > unit_bytes:
                edges.append(start)
        return [(start, end) for start, end in itertools.pairwise([*edges, file.size]) if start < end]

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the column's cells; null cells are rejected.

        Raises:
            UserError: the file is damaged, or a cell is invalid and `on_invalid` is "fail".
        """
        with _opened(file_range.file.path, open_file) as opened:
            column = _Column(opened, file_range.file, options)
            groups = [i for i, start in enumerate(column.starts()) if file_range.start <= start < file_range.end]
            cells = (cell for i in groups for cell in column.cells(i))
            found = (Rejected("empty", b"") if cell is None else to_utf8(cell, column.encoding) for cell in cells)
            yield from batches(found, Origin(file_range.file, "utf-8", options))


@contextlib.contextmanager
def _opened(path: str, open_file: OpenFile) -> Iterator[pa.parquet.ParquetFile]:
    with open_file(path) as file:
        try:
            yield pa.parquet.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{path} can't be read as a Parquet file: {one_line(error)}. It is damaged, truncated, or of another "
                "format. Download it again, or use another --format."
            ) from error


class _Column:
    """The column `text_field` of an opened file.

    Raises:
        UserError: the file has no such column, or it holds no strings.
    """

    def __init__(self, opened: pa.parquet.ParquetFile, file: InputFile, options: ReadOptions) -> None:
        names = [opened.schema.column(i).path for i in range(len(opened.schema))]
        self._file, self._batch_bytes = opened, options.limits.batch_bytes
        self._name = options.text_field or ""
        self._fields = _fields(pa.struct(list(opened.schema_arrow)), self._name)
        if not self._fields:
            raise missing_column_error(file.path, "Parquet", names, options.text_field)
        type = self._fields[-1].type
        value_type = type.value_type if pa.types.is_dictionary(type) else type
        if not any(is_kind(value_type) for is_kind in _IS_STRING + _IS_BYTES):
            raise UserError(
                f"{file.path} has the type {type} in its column {self._name!r}; documents must be strings. "
                "Give another column with --text-field."
            )
        self._index = names.index(self._name)
        # The Parquet format defines strings as UTF-8.
        self.encoding = file.encoding if any(is_bytes(value_type) for is_bytes in _IS_BYTES) else "utf-8"

    def starts(self) -> list[int]:
        """Returns the offset in the file of the column chunk of each row group."""
        return [chunk.dictionary_page_offset or chunk.data_page_offset for chunk in map(self._chunk, self._groups())]

    def cells(self, group: int) -> Iterator[bytes | None]:
        """Yields the cells of a row group as bytes; None for null."""
        chunk = self._chunk(group)
        rows = self._batch_bytes * chunk.num_values // max(1, chunk.total_uncompressed_size)
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
    """Returns the fields along a path, outermost first; none if there is no such path.

    A field whose own name is the whole path is preferred. Of several fields with the same name, the first is taken.
    """
    named = {field.name: field for field in reversed(list(struct))}
    if name in named:
        return [named[name]]
    first, _, rest = name.partition(".")
    if rest and first in named and pa.types.is_struct(named[first].type):
        within = _fields(named[first].type, rest)
        return [named[first], *within] if within else []
    return []
