"""The tokens of a unit as they lie on disk between the passes, so that text is cleaned and cut once.

Two Arrow files a unit. `tokens`: a record batch a batch of texts, a row a stretch of a document, its tokens as a
dictionary array, so that a token takes four bytes and each distinct one is written once a batch. `documents`: a row a
document, written when all of them are known.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from textgen.dataset.storage.splits import DIGEST_BYTES


class TokenBatch(NamedTuple):
    """A batch of G stretches, each of one document, with T tokens in all, of which U are distinct.

    Attributes:
        symbols: Arrow array [U], the distinct tokens.
        indices: int32 [T], the tokens as places in `symbols`.
        edges: int32 [G + 1], where each stretch starts in `indices`.
        goes_on: whether the first stretch is a later part of the last document of the batch before.
        texts: the stretches' texts before cleaning, where dropped documents are to be kept; else empty.
    """

    symbols: pa.Array
    indices: np.ndarray
    edges: np.ndarray
    goes_on: bool
    texts: list[bytes]


class DocumentTable(NamedTuple):
    """The D documents of a unit.

    Attributes:
        digests: uint8 [D, 16], the hash of each cleaned text.
        tokens: int64 [D].
        characters: int64 [D], code points of the cleaned text.
        reasons: why each was dropped; empty for those that are kept.
        signatures: uint32 [D, H], for near duplicates; H is 0 where they are not looked for.
    """

    digests: np.ndarray
    tokens: np.ndarray
    characters: np.ndarray
    reasons: np.ndarray
    signatures: np.ndarray


class TokenWriter:
    """Writes the `tokens` file."""

    def __init__(self, path: Path, symbol_type: pa.DataType):
        self._schema = pa.schema(
            [
                ("tokens", pa.list_(pa.dictionary(pa.int32(), symbol_type))),
                ("goes_on", pa.bool_()),
                ("text", pa.binary()),
            ]
        )
        self._writer = pa.ipc.new_stream(str(path), self._schema)

    def write(self, batch: TokenBatch) -> None:
        """Adds a record batch."""
        tokens = pa.DictionaryArray.from_arrays(pa.array(batch.indices), batch.symbols, safe=False)
        rows = len(batch.edges) - 1
        columns = [
            pa.ListArray.from_arrays(pa.array(batch.edges), tokens),
            pa.array([batch.goes_on] + [False] * (rows - 1)),
            pa.array(batch.texts, pa.binary()) if batch.texts else pa.nulls(rows, pa.binary()),
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()


def read_tokens(file: BinaryIO) -> Iterator[TokenBatch]:
    """The batches of a `tokens` file."""
    with pa.ipc.open_stream(file) as reader:
        for batch in reader:
            tokens, texts = batch.column("tokens"), batch.column("text")
            yield TokenBatch(
                tokens.values.dictionary,
                tokens.values.indices.to_numpy(),
                tokens.offsets.to_numpy(),
                batch.column("goes_on")[0].as_py(),
                [] if texts.null_count else texts.to_pylist(),
            )


class Placed(NamedTuple):
    """A batch of stretches, and where they belong.

    Attributes:
        batch: G stretches.
        documents: the places of their documents in the unit, a run.
        offsets: int64 [G], how many tokens of its document stand before each.
    """

    batch: TokenBatch
    documents: slice
    offsets: np.ndarray


def place(batches: Iterable[TokenBatch]) -> Iterator[Placed]:
    """Finds for the batches of a unit, from its first on, which documents their stretches are of."""
    next_document = tokens_before = 0
    for batch in batches:
        lengths = np.diff(batch.edges)
        first = next_document - batch.goes_on
        offsets = np.zeros(len(lengths), np.int64)
        offsets[0] = tokens_before * batch.goes_on
        next_document, tokens_before = first + len(lengths), int(offsets[-1] + lengths[-1])
        yield Placed(batch, slice(first, next_document), offsets)


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
        }
    )
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def read_documents(file: BinaryIO) -> DocumentTable:
    """What `write_documents` wrote."""
    table = pa.ipc.open_file(pa.py_buffer(file.read())).read_all().combine_chunks()
    count = table.num_rows
    width = table.schema.field("signature").type.byte_width // 4
    return DocumentTable(
        _matrix(table["digest"], np.uint8, count, DIGEST_BYTES),
        table["tokens"].to_numpy(),
        table["characters"].to_numpy(),
        np.array(table["reason"].to_pylist(), object),
        _matrix(table["signature"], np.uint32, count, width),
    )


def _fixed(matrix: np.ndarray, width: int) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(matrix))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(matrix), [None, data])


def _matrix(column: pa.ChunkedArray, dtype: type, rows: int, width: int) -> np.ndarray:
    if not rows or not width:
        return np.empty((rows, width), dtype)
    return np.frombuffer(column.chunk(0).buffers()[1], dtype)[: rows * width].reshape(rows, width)
