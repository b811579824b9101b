"""Reads and writes the files that hold the tokens of a unit between the passes; text is tokenized only once.

Each unit has three Arrow files. `tokens` has a record batch per batch of texts and a row per document chunk; a token
is the number of its symbol in the unit. `symbols` has the distinct symbols of the unit, by number, and `documents`
has a row per document, see `document_files`; both are written when the whole unit has been tokenized.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from pipelines.arrow_files import ArrowDamageError, arrow_errors, require_sound
from pipelines.document_files import DocumentTable
from pipelines.workspace import TOKENS, Workspace
from textgen import files
from textgen.config import PrepareConfig
from textgen.system_errors import naming
from textgen.text.tokenizers import make_tokenizer

_NUMBERS = {"small": pa.uint8(), "tokens": pa.int32()}
"""Columns of the numbers, of which each batch has one; small ones take a quarter of the space."""

_SCHEMA = pa.schema(
    [*((name, pa.list_(of)) for name, of in _NUMBERS.items()), ("continued", pa.bool_()), ("text", pa.binary())]
)


class TokenBatch(NamedTuple):
    """A batch of G chunks, each of one document, with T tokens in all.

    Attributes:
        numbers: uint8 or int32 [T], the number of each token's symbol in the unit.
        edges: int32 [G + 1], the start of each chunk in `numbers`, and the end of the last.
        continued: whether the first chunk continues the last document of the batch before.
        texts: texts of the chunks before cleaning if dropped documents are kept, else empty.
    """

    numbers: np.ndarray
    edges: np.ndarray
    continued: bool
    texts: list[bytes]


class TokenWriter:
    """Writes the `tokens` file."""

    def __init__(self, path: Path):
        self._path, self._writer = path, pa.ipc.new_stream(str(path), _SCHEMA)

    def write(self, batch: TokenBatch) -> None:
        """Writes a record batch."""
        rows = len(batch.edges) - 1
        chunks = pa.ListArray.from_arrays(pa.array(batch.edges), pa.array(batch.numbers))
        columns = [
            *(chunks if of == chunks.type.value_type else pa.nulls(rows, pa.list_(of)) for of in _NUMBERS.values()),
            pa.array([batch.continued] + [False] * (rows - 1)),
            pa.array(batch.texts, pa.binary()) if batch.texts else pa.nulls(rows, pa.binary()),
        ]
        with naming(self._path):
            self._writer.write_batch(pa.record_batch(columns, schema=_SCHEMA))

    def close(self) -> None:
        """Closes the file."""
        with naming(self._path):
            self._writer.close()


def read_tokens(file: BinaryIO) -> Iterator[TokenBatch]:
    """Yields the batches of a `tokens` file.

    Raises:
        ArrowDamageError: it is not such a file.
    """
    with arrow_errors(), pa.ipc.open_stream(file) as reader:
        for batch in reader:
            require_sound(batch, [_SCHEMA], nullable=["text", *_NUMBERS])
            yield _checked_batch(batch)


def _checked_batch(batch: pa.RecordBatch) -> TokenBatch:
    """Returns the tokens of a record batch.

    Raises:
        ArrowDamageError: its values contradict each other.
    """
    texts, continued = batch.column("text"), batch.column("continued").to_numpy(zero_copy_only=False)
    if not len(continued) or continued[1:].any():
        raise ArrowDamageError("a batch has no row, or one that continues a document of the same batch")
    given = [batch.column(name) for name in _NUMBERS if batch.column(name).null_count < len(batch)]
    if len(given) != 1 or given[0].null_count:
        raise ArrowDamageError("a batch has no tokens, or its tokens twice")
    edges, numbers = given[0].offsets.to_numpy(), given[0].values
    if edges[0] != 0 or edges[-1] != len(numbers) or numbers.null_count:
        raise ArrowDamageError("a batch has tokens of no document, or without a symbol")
    if texts.null_count not in (0, len(texts)):
        raise ArrowDamageError("some chunks of a batch have a text and others have none")
    return TokenBatch(numbers.to_numpy(), edges, bool(continued[0]), [] if texts.null_count else texts.to_pylist())


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


def unit_symbols(workspace: Workspace, unit: int, config: PrepareConfig) -> pa.Array:
    """Returns the symbols of a unit, by number, binary or int32.

    Raises:
        UserError: the file is damaged, or the tokenizer has other symbols.
    """
    path = workspace.unit_path(TOKENS, unit, "symbols")
    try:
        with files.open_file(path) as file, arrow_errors():
            table = pa.ipc.open_file(pa.py_buffer(file.read())).read_all()
            require_sound(table, [pa.schema([("symbol", symbol_type(config, workspace))])])
            symbols = table["symbol"].combine_chunks()
            if symbols.type == pa.binary():
                # Arrow checks that it is UTF-8.
                symbols.cast(pa.string())
            return symbols
    except ArrowDamageError as error:
        raise workspace.damage(path, error) from None


def symbol_type(config: PrepareConfig, workspace: Workspace) -> pa.DataType:
    """Returns the type of the tokenizer's symbols: binary or int32."""
    tokenizer = make_tokenizer(config.text, workspace.tokenizer_model())
    return pa.binary() if tokenizer.symbol_dtype == "string" else pa.int32()


def unit_tokens(workspace: Workspace, unit: int, documents: DocumentTable, *, symbols: int) -> Iterator[LocatedBatch]:
    """Yields the token batches of a unit.

    Args:
        workspace: the output folder.
        unit: number of the unit.
        documents: the documents of the unit.
        symbols: number of the symbols of the unit.

    Raises:
        UserError: the file is damaged, or has the tokens of other documents or other symbols.
    """
    path = workspace.unit_path(TOKENS, unit, "tokens")
    found, count = np.zeros(len(documents.tokens), np.int64), 0
    try:
        with files.open_file(path) as file:
            for located in locate(read_tokens(file)):
                batch, rows, _ = located
                if rows.start < 0 or rows.stop > len(found):
                    raise ArrowDamageError("it has more documents than the file beside it")
                # Read without a sign, a negative number is too large.
                unsigned = batch.numbers.view(f"u{batch.numbers.itemsize}")
                if len(unsigned) and unsigned.max() >= symbols:
                    raise ArrowDamageError("it has the number of a symbol that the file beside it does not have")
                found[rows] += np.diff(batch.edges)
                count = rows.stop
                yield located
        if count < len(found) or not np.array_equal(found, documents.tokens):
            raise ArrowDamageError("it has other documents than the file beside it, or other numbers of tokens")
    except ArrowDamageError as error:
        raise workspace.damage(path, error) from None
