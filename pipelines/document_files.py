"""Reads and writes the files that hold a row per document of a unit, when the whole unit has been tokenized."""

from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from pipelines.arrow_files import ArrowDamageError, arrow_errors, require_between, require_sound
from pipelines.workspace import DUPLICATES, TOKENS, Workspace
from textgen import files
from textgen.config import SPLITS, PrepareConfig
from textgen.dataset.storage.splits import DIGEST_BYTES, SplitRanges, split_indices, split_ranges
from textgen.system_errors import naming
from textgen.text import minhash

EMPTY = "empty"
"""Drop reason of documents without tokens."""

_MAX_TOKENS = 1 << 45
_MAX_REASON_CHARACTERS, _MAX_REASONS = 200, 200
"""Bounds that hold for every unit; the manifest refuses what is beyond them."""


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
    """Returns the table of a `documents` file.

    Raises:
        ArrowDamageError: it is not such a file, or has values that a document cannot have.
    """
    with arrow_errors():
        table = pa.ipc.open_file(pa.py_buffer(file.read())).read_all().combine_chunks()
        require_sound(table, [_schema(table.schema)], nullable=_nullable(table.schema))
    count = table.num_rows
    width = table.schema.field("signature").type.byte_width // 4
    for name in ("tokens", "characters"):
        require_between(table[name], name, 0, _MAX_TOKENS)
    reasons = table["reason"].combine_chunks().dictionary_encode()
    distinct = np.array(reasons.dictionary.to_pylist(), object)
    if len(distinct) > _MAX_REASONS or max(map(len, distinct), default=0) > _MAX_REASON_CHARACTERS:
        raise ArrowDamageError("its drop reasons are too long or too many")
    return DocumentTable(
        _matrix(table["digest"], np.uint8, count, DIGEST_BYTES),
        table["tokens"].to_numpy(),
        table["characters"].to_numpy(),
        distinct[reasons.indices.to_numpy()],
        _matrix(table["signature"], np.uint32, count, width),
        _splits(table["split"]),
        None
        if pa.types.is_null(table.schema.field("group").type)
        else _matrix(table["group"], np.uint8, count, DIGEST_BYTES),
    )


def _schema(found: pa.Schema) -> pa.Schema:
    """Returns the columns of a table of documents, in which some types depend on the settings.

    Raises:
        ArrowDamageError: one of these is missing, or has a type that it cannot have.
    """
    optional = {
        "signature": [pa.binary(0), pa.binary(4 * minhash.HASHES)],
        "split": [pa.null(), pa.int8()],
        "group": [pa.null(), pa.binary(DIGEST_BYTES)],
    }
    for name, allowed in optional.items():
        if found.names.count(name) != 1 or found.field(name).type not in allowed:
            raise ArrowDamageError(f"its column {name} is missing or of another type")
    types = {
        "digest": pa.binary(DIGEST_BYTES),
        "tokens": pa.int64(),
        "characters": pa.int64(),
        "reason": pa.string(),
        **{name: found.field(name).type for name in optional},
    }
    return pa.schema(list(types.items()))


def _nullable(schema: pa.Schema) -> list[str]:
    """Returns the names of the columns without values."""
    return [name for name in schema.names if schema.field(name).type in (pa.null(), pa.binary(0))]


def _splits(column: pa.ChunkedArray) -> np.ndarray | None:
    if pa.types.is_null(column.type):
        return None
    require_between(column, "split", -1, len(SPLITS) - 1)
    return column.to_numpy()


def unit_documents(workspace: Workspace, unit: int) -> DocumentTable:
    """Returns the documents of a unit, with the drop reasons of the recorded duplicates.

    Raises:
        UserError: a file of the unit is damaged.
    """
    path = workspace.unit_path(TOKENS, unit, "documents")
    try:
        with files.open_file(path) as file:
            documents = read_documents(file)
    except ArrowDamageError as error:
        raise workspace.damage(path, error) from None
    for reason, rows in (workspace.recorded(DUPLICATES, unit) or {}).items():
        if rows and max(rows) >= len(documents.reasons):
            found = f"it has the document {max(rows):,}; the unit has {len(documents.reasons):,}"
            raise workspace.damage(workspace.unit_path(DUPLICATES, unit, "json"), found)
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
