"""Reader of Parquet files, in which columns of strings, or strings within them, hold the documents."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from textgen.corpus.batching import Found, Item, Origin, batches
from textgen.corpus.encodings import to_utf8
from textgen.corpus.readers.base import (
    SEPARATORS,
    FileRange,
    InputFile,
    OpenFile,
    ReadOptions,
    Rejected,
    TextBatch,
)
from textgen.corpus.readers.columns import missing_column_error
from textgen.corpus.readers.labels import Labeller
from textgen.corpus.readers.parquet_paths import ColumnPath, Texts, find_path, text_paths
from textgen.errors import UserError, one_line

_BUFFER_BYTES = 1 << 20
_MAX_ROWS = 1024
"""Maximum number of rows to read at once; the file does not record how much memory repeated cells take decoded."""


class ParquetReader:
    """Reads the texts at `text_field`, such as `text`, `data.text` or `messages.*.content`: one document per row.

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
            _Columns(opened, file, options)

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns byte ranges of about `unit_bytes` that cover the file, each with at least one row group.

        Raises:
            UserError: the file is damaged, or has no column `text_field` of strings.
        """
        with _opened(file.path, open_file) as opened:
            starts = sorted(_Columns(opened, file, options).starts())
        edges = [0]
        for start, end in itertools.pairwise([*starts, file.size]):
            if start > starts[0] and end - edges[-1] > unit_bytes:
                edges.append(start)
        return [(start, end) for start, end in itertools.pairwise([*edges, file.size]) if start < end]

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the documents of the rows; rows of nulls are rejected.

        Raises:
            UserError: the file is damaged, or a cell is invalid and `on_invalid` is "fail".
        """
        with _opened(file_range.file.path, open_file) as opened:
            columns = _Columns(opened, file_range.file, options)
            groups = [i for i, start in enumerate(columns.starts()) if file_range.start <= start < file_range.end]
            found = (item for i in groups for item in columns.items(i))
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


class _Columns:
    """The columns `text_field` of an opened file.

    Raises:
        UserError: the file has no such column, or it holds no strings.
    """

    def __init__(self, file: pa.parquet.ParquetFile, of: InputFile, options: ReadOptions) -> None:
        self._file, self._options = file, options
        self._paths = _text_columns(file.schema_arrow, of.path, options.text_field)
        # The Parquet format defines strings as UTF-8.
        self._encodings = [of.encoding if path.is_bytes else "utf-8" for path in self._paths]
        self._labeller, self._labels = Labeller(options), _label_columns(file.schema_arrow, of.path, options)
        paths = [*self._paths, *self._labels]
        self._leaves = list(dict.fromkeys(leaf for path in paths for leaf in path.leaves))

    def starts(self) -> list[int]:
        """Returns the offset in the file of the first column's chunk of each row group."""
        groups = map(self._file.metadata.row_group, range(self._file.num_row_groups))
        chunks = (group.column(self._leaves[0]) for group in groups)
        return [chunk.dictionary_page_offset or chunk.data_page_offset for chunk in chunks]

    def items(self, group: int) -> Iterator[Found]:
        """Yields the documents of a row group."""
        metadata = self._file.metadata.row_group(group)
        size = sum(metadata.column(leaf).total_uncompressed_size for leaf in self._leaves)
        rows = self._options.limits.batch_bytes * metadata.num_rows // max(1, size)
        rows = max(1, min(rows, _MAX_ROWS))
        names = [self._file.schema.column(leaf).path for leaf in self._leaves]
        for batch in self._file.iter_batches(rows, row_groups=[group], columns=names, use_threads=False):
            texts = [path.values(batch) for path in self._paths]
            if self._labels:
                labels = zip(*(path.labels(batch) for path in self._labels), strict=True)
                for row, values in zip(self._joined(texts, batch.num_rows), labels, strict=True):
                    yield from self._labeller.label(row, values)
            elif len(texts) == 1 and texts[0][1] is None:
                yield from _documents(texts[0][0].to_pylist(), self._encodings[0])
            else:
                yield from itertools.chain.from_iterable(self._joined(texts, batch.num_rows))

    def _joined(self, texts: list[Texts], rows: int) -> Iterator[list[Item]]:
        """Yields the documents of each row: its texts that are not null, joined."""
        separator = SEPARATORS[self._options.tables.join]
        columns = [_cells(*found, rows) for found in texts]
        for row in zip(*columns, strict=True):
            found = [
                to_utf8(cell, encoding)
                for cells, encoding in zip(row, self._encodings, strict=True)
                for cell in cells
                if cell is not None
            ]
            if not found:
                yield [Rejected("empty", b"")]
            elif separator is None:
                yield [*found]
            else:
                yield [separator.join(filter(None, found))]


def _documents(cells: list[bytes | None], encoding: str) -> Iterator[Found]:
    """Yields the cells of one column; nulls as rejected."""
    if encoding == "utf-8" and None not in cells:
        yield cast(list[bytes], cells)
        return
    for cell in cells:
        yield Rejected("empty", b"") if cell is None else to_utf8(cell, encoding)


def _cells(array: pa.Array, owners: np.ndarray | None, rows: int) -> list[list[bytes | None]]:
    """Returns the values of each row."""
    values = array.to_pylist()
    if owners is None:
        return [[value] for value in values]
    edges = np.searchsorted(owners, np.arange(rows + 1)).tolist()
    return [values[start:end] for start, end in itertools.pairwise(edges)]


def _label_columns(schema: pa.Schema, path: str, options: ReadOptions) -> list[ColumnPath]:
    """Returns the paths of the labels' fields.

    Raises:
        UserError: there is no such column, or it holds several values per row.
    """
    labeller = Labeller(options)
    paths = {name: find_path(schema, name) for name in labeller.fields}
    found = {name: column for name, column in paths.items() if column and column.has_one_per_row}
    labeller.require([*found, *(name for name in text_paths(schema) if name not in paths)], path, "Parquet")
    return [found[name] for name in labeller.fields]


def _text_columns(schema: pa.Schema, path: str, text_field: str | None) -> list[ColumnPath]:
    """Returns the paths that a text field names: one, or several separated by commas.

    Raises:
        UserError: there is no such column, or it holds no strings.
    """
    whole = find_path(schema, text_field or "")
    parts = [text_field or ""] if whole else [part.strip() for part in (text_field or "").split(",")]
    found = [column for part in parts if (column := find_path(schema, part))]
    if len(found) < len(parts):
        raise missing_column_error(path, "Parquet", text_paths(schema), text_field)
    for part, column in zip(parts, found, strict=True):
        if not column.is_text:
            inside = [name for name in text_paths(schema) if name.startswith(f"{part}.")]
            remedy = f"Give {' or '.join(inside)} with" if inside else "Give another column with"
            raise UserError(
                f"{path} has the type {column.type} in its column {part!r}; documents must be strings. "
                f"{remedy} --text-field."
            )
    return found
