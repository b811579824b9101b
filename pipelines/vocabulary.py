"""The second pass: which tokens the training split has, and how many documents each split.

A unit counts its own tokens. The counts meet in buckets of tokens, a few large values each, since a million words
one by one are slow to shuffle; a token is in one bucket, so the heads of the buckets hold the head of all.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import storage
from pipelines.tokens import read_documents, read_tokens
from pipelines.workspace import Workspace
from textgen.config import SPLITS, PrepareConfig
from textgen.corpus.units import Unit
from textgen.dataset import slices
from textgen.dataset.splits import parts
from textgen.errors import UserError
from textgen.text.tokenizers import make_tokenizer
from textgen.text.vocabulary import Vocabulary

STAGE = "vocabulary"
CENSUS = "census"
BUCKETS = 64
_ALL = 1 << 40
_TRAIN = SPLITS.index("train")


class Census(NamedTuple):
    """What the pass finds: the counts of the most frequent symbols, and how many documents each split has."""

    counts: dict[str, int]
    documents: dict[str, int]


class CountUnit:
    """Counts a unit's tokens and documents, from its token files."""

    stage = STAGE

    def __init__(self, config: PrepareConfig, workspace: Workspace):
        self._config, self._workspace = config, workspace

    def setup(self) -> None:
        """Nothing: the symbols are counted as they are."""

    def process(self, unit: Unit) -> dict[str, Any]:
        """Writes the counts of the training split's symbols; the result tells the documents by split."""
        documents = read_documents(self._workspace, unit.index)
        held = parts(documents.digests, np.where(documents.reasons == "", documents.tokens, 0), self._config)
        tables = []
        for batch, where, offsets in read_tokens(self._workspace, unit.index):
            stretch_starts, lengths = batch.edges[:-1], np.diff(batch.edges)
            begins, ends = (np.clip(edges[_TRAIN, where] - offsets, 0, lengths) for edges in held)
            trained = batch.indices[slices.places(stretch_starts + begins, np.maximum(ends - begins, 0))]
            counts = np.bincount(trained, minlength=len(batch.symbols))
            tables.append(pa.table({"symbol": batch.symbols, "count": counts}).filter(pc.field("count") > 0))
        storage.write(self._path(unit.index), _to_bytes(add(tables)))
        in_split = (held.starts < held.ends).sum(axis=1).tolist()
        return {"unit": unit.index, "documents": dict(zip(SPLITS, in_split, strict=True))}

    def counts(self, unit: int) -> pa.Table:
        """What `process` wrote."""
        content = storage.read(self._path(unit))
        assert content is not None, "a unit is counted before its counts are read"
        return _from_bytes(content)

    def _path(self, unit: int) -> str:
        return self._workspace.work_path(STAGE, f"{unit:06d}.counts")


class TakeCensus(beam.PTransform):
    """Results of CountUnit → a Census in the workspace."""

    def __init__(self, count: CountUnit, config: PrepareConfig, workspace: Workspace):
        super().__init__()
        self._count, self._workspace = count, workspace
        tokenizer = make_tokenizer(config.text, workspace.tokenizer_model())
        # Any symbol may stand in a vocabulary that was given.
        given = workspace.given_vocabulary() is not None
        self._size = _ALL if given else tokenizer.symbols_to_learn(config.text.vocabulary_size)

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the steps."""
        return (
            results
            | "SpreadCounts" >> beam.ParDo(SpreadCounts(self._count))
            | "GroupBuckets" >> beam.GroupByKey()
            | "MergeBucket" >> beam.ParDo(MergeBucket(self._size))
            | "GroupHeads" >> beam.GroupByKey()
            | "WriteCensus" >> beam.ParDo(WriteCensus(self._size, self._workspace))
        )


Share = tuple[bytes, dict[str, int]]
"""Counts of symbols as Arrow bytes, and documents by split."""


class SpreadCounts(beam.DoFn):
    """A unit's result → (bucket, the part of its counts in that bucket); bucket 0 has the documents too."""

    def __init__(self, count: CountUnit):
        self._count = count

    def process(self, result: dict[str, Any]) -> Iterator[tuple[int, Share]]:
        """One result in, a value a bucket out."""
        table = self._count.counts(result["unit"])
        buckets = _buckets(table["symbol"])
        for bucket in range(BUCKETS):
            content = _to_bytes(table.take(pa.array(np.flatnonzero(buckets == bucket))))
            yield bucket, (content, {} if bucket else result["documents"])


class MergeBucket(beam.DoFn):
    """A bucket's parts → their sum, less the symbols that can't be among the most frequent."""

    def __init__(self, size: int):
        self._size = size

    def process(self, bucket: tuple[int, Iterable[Share]]) -> Iterator[tuple[None, Share]]:
        """One bucket in, one head out, all under one key."""
        yield None, _merge(bucket[1], self._size)


class WriteCensus(beam.DoFn):
    """The heads of all buckets → the census, a line of JSON and Arrow bytes."""

    def __init__(self, size: int, workspace: Workspace):
        self._size, self._workspace = size, workspace

    def process(self, heads: tuple[None, Iterable[Share]]) -> Iterator[str]:
        """Writes the file and tells its path."""
        content, documents = _merge(heads[1], self._size)
        path = self._workspace.work_path(CENSUS)
        storage.write(path, json.dumps(documents).encode() + b"\n" + content)
        yield path


def add(tables: Iterable[pa.Table]) -> pa.Table:
    """The sums of counts by symbol."""
    found = list(tables)
    if not found:
        return pa.table({"symbol": pa.array([], pa.binary()), "count": pa.array([], pa.int64())})
    summed = pa.concat_tables(found).group_by("symbol").aggregate([("count", "sum")])
    return summed.rename_columns(["symbol", "count"])


def _merge(shares: Iterable[Share], size: int) -> Share:
    tables, documents = [], Counter[str]()
    for content, split_documents in shares:
        table = _from_bytes(content)
        if table.num_rows:
            tables.append(table)
        documents.update(split_documents)
    total = add(tables).sort_by([("count", "descending"), ("symbol", "ascending")])
    return _to_bytes(total.slice(0, size)), dict(documents)


def _buckets(symbols: pa.ChunkedArray) -> np.ndarray:
    """int[N], a bucket for each symbol that depends on it alone: its bytes, or its number, in sum."""
    if not len(symbols):
        return np.empty(0, int)
    if symbols.type != pa.binary():
        return symbols.to_numpy() % BUCKETS
    joined = pa.concat_arrays(symbols.chunks)
    _, offsets, data = joined.buffers()
    edges = np.frombuffer(offsets, np.int32)[joined.offset : joined.offset + len(joined) + 1]
    sums = np.concatenate([[0], np.cumsum(np.frombuffer(data, np.uint8)[: edges[-1]], dtype=np.int64)])
    return (sums[edges[1:]] - sums[edges[:-1]]) % BUCKETS


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _from_bytes(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()


def read_census(config: PrepareConfig, workspace: Workspace) -> Census | None:
    """What the pass found, if it is done."""
    content = storage.read(workspace.work_path(CENSUS))
    if content is None:
        return None
    documents, _, counts = content.partition(b"\n")
    return Census(by_token(_from_bytes(counts), config, workspace), json.loads(documents))


def by_token(counts: pa.Table, config: PrepareConfig, workspace: Workspace) -> dict[str, int]:
    """Counts by the symbols' texts."""
    token = make_tokenizer(config.text, workspace.tokenizer_model()).token
    return {
        token(symbol): count
        for symbol, count in zip(counts["symbol"].to_pylist(), counts["count"].to_pylist(), strict=True)
    }


def learn(counts: Mapping[str, int], config: PrepareConfig, workspace: Workspace) -> Vocabulary:
    """The vocabulary of symbols with these counts, or the one that was given with its counts in this corpus."""
    tokenizer = make_tokenizer(config.text, workspace.tokenizer_model())
    given = workspace.given_vocabulary()
    if given:
        return given._replace(counts=tuple(tokenizer.count(given.tokens, counts)))
    return tokenizer.learn(counts, config.text.vocabulary_size)


def check_splits(documents: dict[str, int], config: PrepareConfig) -> None:
    """Raises UserError if a split that was asked for would be empty."""
    if not documents["train"]:
        raise UserError("no document with text is left to train on. Check the input and the cleaning options.")
    wanted = {"train": 100.0, **config.held_out_percent()}
    empty = [split for split, percent in wanted.items() if percent and not documents[split]]
    if not empty:
        return
    # By tail a document counts once in each split that has a part of it.
    count = sum(documents.values()) if config.split_by == "document" else max(documents.values())
    found = f"the {' and the '.join(empty)} split would be empty: the input has {count} documents"
    if config.split_by == "document":
        raise UserError(
            f"{found}, and whole documents are held out. "
            f"Use --split-by tail to hold out the last part of every document, or --{empty[0]}-percent 0."
        )
    raise UserError(
        f"{found}, each too short to share. "
        f"Use --split-by document to hold out whole ones, or --{empty[0]}-percent 0."
    )
