"""Reads and writes the files that hold the tokens of a unit between the passes; text is tokenized only once.

Each unit has three Arrow files. `tokens` has a record batch per batch of texts and a row per document chunk; a token
is the number of its symbol in the unit. `symbols` has the distinct symbols of the unit, by number, and `documents`
has a row per document; both are written when the whole unit has been tokenized.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from pipelines.workspace import DUPLICATES, TOKENS, Workspace
from textgen import files
from textgen.config import PrepareConfig
from textgen.dataset.storage.splits import DIGEST_BYTES, SplitRanges, split_indices, split_ranges
from textgen.system_errors import naming

EMPTY = "empty"
"""Drop reason of documents without tokens."""


class TokenBatch(NamedTuple):
    """A batch of G chunks, each of one document, with T tokens in all.

    Attributes:
        numbers: int32 [T], the number of each token's symbol in the unit.
        edges: int32 [G + 1], the start of each chunk in `numbers`, and the end of the last.
        continued: whether the first chunk continues the last document of the batch before.
        texts: texts of the chunks before cleaning if dropped documents are kept, else empty.
    """

    numbers: np.ndarray
    edges: np.ndarray
    continued: bool
    texts: list[bytes]


class DocumentTable(NamedTuple):
    """The D documents of a unit.

    Attributes:
        digests: uint8 [D, 16], hash of each cleaned text.
        tokens: int64 [D], number of tokens.
        characters: int64 [D], number of code points of the cleaned text.
        reasons: str [D], drop reason of each document; "" for kept documents.
        signatures: uint32 [D, H], MinHash signatures; H is 0 unless near duplicates are searched for.
        splits: int8 [D], index in SPLITS of the split that the input gives each document, -1 for none; None if it
            gives none to any.
        groups: uint8 [D, 16], hash of the group of each document, which chooses its split in place of the hash of its
            text; None if there are no groups.
    """

    digests: np.ndarray
    tokens: np.ndarray
    characters: np.ndarray
    reasons: np.ndarray
    signatures: np.ndarray
    splits: np.ndarray | None = None
    groups: np.ndarray | None = None

    def split_ranges(self, lengths: np.ndarray, config: PrepareConfig, rows: slice = slice(None)) -> SplitRanges:
        """Returns the split ranges of some documents.

        Args:
            lengths: int64 [N], number of tokens of each of them.
            config: settings of the splits.
            rows: the documents.
        """
        keys = self.digests if self.groups is None else self.groups
        return split_ranges(keys[rows], lengths, config, given=None if self.splits is None else self.splits[rows])

    def split_indices(self, config: PrepareConfig) -> np.ndarray:
        """Returns int [D], the index in SPLITS of the split of each document, taken whole."""
        return split_indices(self.digests if self.groups is None else self.groups, config, given=self.splits)


class TokenWriter:
    """Writes the `tokens` file."""

    def __init__(self, path: Path):
        self._schema = pa.schema([("tokens", pa.list_(pa.int32())), ("continued", pa.bool_()), ("text", pa.binary())])
        self._path, self._writer = path, pa.ipc.new_stream(str(path), self._schema)

    def write(self, batch: TokenBatch) -> None:
        """Writes a record batch."""
        rows = len(batch.edges) - 1
        columns = [
            pa.ListArray.from_arrays(pa.array(batch.edges), pa.array(batch.numbers)),
            pa.array([batch.continued] + [False] * (rows - 1)),
            pa.array(batch.texts, pa.binary()) if batch.texts else pa.nulls(rows, pa.binary()),
        ]
        with naming(self._path):
            self._writer.write_batch(pa.record_batch(columns, schema=self._schema))

    def close(self) -> None:
        """Closes the file."""
        with naming(self._path):
            self._writer.close()


def read_tokens(file: BinaryIO) -> Iterator[TokenBatch]:
    """Yields the batches of a `tokens` file."""
    with pa.ipc.open_stream(file) as reader:
        for batch in reader:
            tokens, texts = batch.column("tokens"), batch.column("text")
            yield TokenBatch(
                tokens.values.to_numpy(),
                tokens.offsets.to_numpy(),
                batch.column("continued")[0].as_py(),
                [] if texts.null_count else texts.to_pylist(),
            )


class LocatedBatch(NamedTuple):
    """A batch of chunks, with their documents.

    Attributes:
        batch: G chunks.
        documents: rows of their documents in the unit's document table, one per chunk.
        offsets: int64 [G], number of tokens of the document before each chunk.
    """

    batch: TokenBatch
    documents: slice
    offsets: np.ndarray


def locate(batches: Iterable[TokenBatch]) -> Iterator[LocatedBatch]:
    """Yields each batch with the rows and token offsets of its documents.

    Args:
        batches: all batches of a unit, in order.
    """
    next_document = tokens_before = 0
    for batch in batches:
        lengths = np.diff(batch.edges)
        first = next_document - batch.continued
        offsets = np.zeros(len(lengths), np.int64)
        offsets[0] = tokens_before * batch.continued
        next_document, tokens_before = first + len(lengths), int(offsets[-1] + lengths[-1])
        yield LocatedBatch(batch, slice(first, next_document), offsets)


def write_symbols(path: Path, symbols: pa.Array) -> None:
    """Writes the `symbols` file: the symbol of each number, binary or int32."""
    table = pa.table({"symbol": symbols})
    with naming(path), pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def unit_symbols(workspace: Workspace, unit: int) -> pa.Array:
    """Returns the symbols of a unit, by number, binary or int32."""
    with files.open_file(workspace.unit_path(TOKENS, unit, "symbols")) as file:
        return pa.ipc.open_file(pa.py_buffer(file.read())).read_all()["symbol"].combine_chunks()


def write_documents(path: Path, documents: DocumentTable) -> None:
    """Writes the `documents` file."""
    count, width = documents.signatures.shape
    table = pa.table(
        {
            "digest": _fixed(documents.digests, DIGEST_BYTES),
            "tokens": documents.tokens,
            "characters": documents.characters,
            "reason": pa.array(documents.reasons.tolist(), pa.string()),
            "signature": _fixed(documents.signatures, 4 * width) if width else pa.nulls(count, pa.binary(0)),
            "split": pa.nulls(count) if documents.splits is None else documents.splits,
            "group": pa.nulls(count) if documents.groups is None else _fixed(documents.groups, DIGEST_BYTES),
        }
    )
    with naming(path), pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def read_documents(file: BinaryIO) -> DocumentTable:
    """Returns the table of a `documents` file."""
    table = pa.ipc.open_file(pa.py_buffer(file.read())).read_all().combine_chunks()
    count = table.num_rows
    width = table.schema.field("signature").type.byte_width // 4
    return DocumentTable(
        _matrix(table["digest"], np.uint8, count, DIGEST_BYTES),
        table["tokens"].to_numpy(),
        table["characters"].to_numpy(),
        np.array(table["reason"].to_pylist(), object),
        _matrix(table["signature"], np.uint32, count, width),
        None if pa.types.is_null(table.schema.field("split").type) else table["split"].to_numpy(),
        None
        if pa.types.is_null(table.schema.field("group").type)
        else _matrix(table["group"], np.uint8, count, DIGEST_BYTES),
    )


def unit_tokens(workspace: Workspace, unit: int) -> Iterator[LocatedBatch]:
    """Yields the token batches of a unit."""
    with files.open_file(workspace.unit_path(TOKENS, unit, "tokens")) as file:
        yield from locate(read_tokens(file))


def unit_documents(workspace: Workspace, unit: int) -> DocumentTable:
    """Returns the documents of a unit, with the drop reasons of the recorded duplicates."""
    with files.open_file(workspace.unit_path(TOKENS, unit, "documents")) as file:
        documents = read_documents(file)
    for reason, rows in (workspace.recorded(DUPLICATES, unit) or {}).items():
        documents.reasons[rows] = reason
    return documents


def _fixed(matrix: np.ndarray, width: int) -> pa.Array:
    """Returns the rows of a matrix as Arrow values of `width` bytes each."""
    data = pa.py_buffer(np.ascontiguousarray(matrix))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(matrix), [None, data])


def _matrix(column: pa.ChunkedArray, dtype: type, rows: int, width: int) -> np.ndarray:
    """Returns a matrix [rows, width] from Arrow values of fixed size."""
    if not rows or not width:
        return np.empty((rows, width), dtype)
    return np.frombuffer(column.chunk(0).buffers()[1], dtype)[: rows * width].reshape(rows, width)
