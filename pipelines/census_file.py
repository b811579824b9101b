"""Reads and writes the result of the counting pass, the census."""

import json
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa

from pipelines.arrow_files import ArrowDamageError, arrow_errors, require_between, require_sound
from pipelines.text_figures import Histogram, vocabulary_sizes
from pipelines.token_files import symbol_type
from pipelines.workspace import Workspace
from textgen import files
from textgen.config import SPLITS, PrepareConfig
from textgen.config.schema import ListOf, Numbers, Record, SchemaError, Whole
from textgen.config.strict_json import parse_json
from textgen.text.tokenizers import make_tokenizer

FILE_NAME = "census"
_MAX_BYTES, _MAX_HEAD_BYTES = 1 << 34, 1 << 28
_MAX_TOKENS = 1 << 45
_HEAD = Record(
    {
        "documents": Record(dict.fromkeys(SPLITS, Whole())),
        "histogram": ListOf(Numbers(at_least=1, at_most=_MAX_TOKENS, size=2)),
        "equal_documents": Whole(),
    }
)


class Census(NamedTuple):
    """Result of the counting pass.

    Attributes:
        counts: number of occurrences in the training split of each of the most frequent tokens.
        documents: number of documents in each split.
        vocabulary_sizes: by a percentage, the size of the vocabulary that leaves that share of the tokens unknown.
        equal_documents: number of documents with the most frequent text.
    """

    counts: dict[str, int]
    documents: dict[str, int]
    vocabulary_sizes: dict[str, int] = {}
    equal_documents: int = 1


NO_DOCUMENTS = Census({}, dict.fromkeys(SPLITS, 0))
"""Census of an input without units."""


def write_census(
    counts: pa.Table, documents: Mapping[str, int], histogram: Histogram, equal_documents: int, workspace: Workspace
) -> str:
    """Writes the census file: all but the counts as a line of JSON, then the counts as an Arrow stream.

    Args:
        counts: table with the columns `symbol` (binary or int32) and `count` (int64).
        documents: number of documents in each split.
        histogram: for each count, the number of symbols that occur that often.
        equal_documents: number of documents with the most frequent text.
        workspace: the output folder.

    Returns:
        The path of the file.
    """
    path = workspace.work_path(FILE_NAME)
    head = {
        "documents": documents,
        "histogram": [list(pair) for pair in histogram.items()],
        "equal_documents": equal_documents,
    }
    files.write_atomically(path, json.dumps(head).encode() + b"\n" + table_to_bytes(counts))
    return path


def read_census(config: PrepareConfig, workspace: Workspace) -> Census | None:
    """Returns the census, or None if the counting pass is not done.

    Raises:
        UserError: its file is damaged.
    """
    content = workspace.read_work(FILE_NAME, max_bytes=_MAX_BYTES)
    if content is None:
        return None
    line, _, stream = content.partition(b"\n")
    try:
        head = parse_json(line, _HEAD, max_bytes=_MAX_HEAD_BYTES)
        with arrow_errors():
            table = table_from_bytes(stream)
        require_counts(table, symbol_type(config, workspace))
        counts = by_token(table, config, workspace)
    except (SchemaError, ArrowDamageError) as error:
        raise workspace.damage(workspace.work_path(FILE_NAME), error) from None
    symbols, unknown = dict(head["histogram"]), unknown_tokens(counts, config, workspace)
    if unknown and not symbols.get(unknown):
        raise workspace.damage(
            workspace.work_path(FILE_NAME), f"its histogram has no symbol that occurs {unknown:,} times"
        )
    sizes = vocabulary_sizes(symbols, config, unknown=unknown)
    return Census(counts, head["documents"], sizes, head["equal_documents"])


def read_counts(
    workspace: Workspace, path: str, of_symbols: pa.DataType, buckets: int, bucket: int | None = None
) -> pa.Table:
    """Returns the counts of the symbols of a unit.

    Args:
        workspace: the output folder.
        path: path of an Arrow file with one record batch per bucket.
        of_symbols: type of the symbols; see `symbol_type`.
        buckets: number of buckets.
        bucket: number of the only bucket to read; None for all buckets.

    Returns:
        A table with the columns `symbol` and `count` (int64).

    Raises:
        UserError: the file is damaged.
    """
    try:
        with files.open_file(path) as file, arrow_errors(), pa.ipc.open_file(file) as reader:
            if reader.num_record_batches != buckets:
                raise ArrowDamageError(f"it has {reader.num_record_batches:,} buckets; it must have {buckets:,}")
            table = reader.read_all() if bucket is None else pa.Table.from_batches([reader.get_batch(bucket)])
            require_counts(table, of_symbols)
            return table
    except ArrowDamageError as error:
        raise workspace.damage(path, error) from None


def require_counts(counts: pa.Table, of_symbols: pa.DataType) -> None:
    """Checks a table of the counts of symbols.

    Args:
        counts: table with the columns `symbol` and `count` (int64), as it was read.
        of_symbols: type of the symbols; see `symbol_type`.

    Raises:
        ArrowDamageError: it is not such a table, or its offsets lead outside.
    """
    # A unit without tokens has no symbols of any type.
    types = [of_symbols] if counts.num_rows else [of_symbols, pa.binary()]
    require_sound(counts, [pa.schema([("symbol", each), ("count", pa.int64())]) for each in types])
    require_between(counts["count"], "count", 1, _MAX_TOKENS)
    if of_symbols == pa.int32() and counts.num_rows:
        require_between(counts["symbol"], "symbol", 0, (1 << 31) - 1)


def unknown_tokens(counts: Mapping[str, int], config: PrepareConfig, workspace: Workspace) -> int:
    """Returns how often the unknown word occurs; 0 if there is none."""
    return counts.get(make_tokenizer(config.text, workspace.tokenizer_model()).unknown_word, 0)


def by_token(counts: pa.Table, config: PrepareConfig, workspace: Workspace) -> dict[str, int]:
    """Returns the counts of symbols as a dictionary from the text of each symbol to its count.

    Args:
        counts: table with the columns `symbol` (binary or int32) and `count` (int64).
        config: the settings of the preparation.
        workspace: the output folder, which holds the tokenizer's model.

    Raises:
        ArrowDamageError: the tokenizer does not know a symbol.
    """
    token = make_tokenizer(config.text, workspace.tokenizer_model()).token
    rows = zip(counts["symbol"].to_pylist(), counts["count"].to_pylist(), strict=True)
    try:
        found = {token(symbol): count for symbol, count in rows}
        "".join(found).encode()
    except (ValueError, IndexError):
        raise ArrowDamageError(f"it has a symbol that the {config.text.tokenizer} tokenizer does not know") from None
    return found


def table_to_bytes(table: pa.Table) -> bytes:
    """Serializes a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def table_from_bytes(content: bytes) -> pa.Table:
    """Returns the table that `table_to_bytes` serialized."""
    return pa.ipc.open_stream(content).read_all()
