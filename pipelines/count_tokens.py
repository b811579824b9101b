"""The second pass: counts the tokens of the training split and the documents of each split.

The counts of each unit are written to a file, divided into buckets of tokens. Each bucket is then summed over the
files of all units: the counts are large, and local runners hold shuffled values in memory. Each token is in exactly
one bucket, so the most frequent tokens of all buckets include the most frequent tokens overall.
"""

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.census import UNKNOWN_EXAMPLES, symbols_to_learn
from pipelines.census_file import read_counts, table_from_bytes, table_to_bytes, write_census
from pipelines.document_files import unit_documents
from pipelines.text_figures import add_histograms, histogram, most_frequent_digests
from pipelines.token_files import symbol_type, unit_symbols, unit_tokens
from pipelines.workspace import COUNTS, Workspace
from textgen import files
from textgen.config import SPLITS, PrepareConfig
from textgen.corpus.units import Unit
from textgen.text.compiled.counting import count_slices

_FEW_BUCKETS, _MAX_BUCKETS, _UNITS_PER_BUCKET = 4, 64, 16
_TRAIN = SPLITS.index("train")


def buckets_for(units: int) -> int:
    """Returns the number of buckets with which the sum over a number of units fits in memory and is shared out."""
    return min(max(1, units // _UNITS_PER_BUCKET, min(units, _FEW_BUCKETS)), _MAX_BUCKETS)


class CountUnit:
    """Counts the tokens and documents of a unit from its token files."""

    stage = COUNTS

    def __init__(self, config: PrepareConfig, workspace: Workspace, *, buckets: int = 1):
        """Creates the pass, which divides the symbols among `buckets` buckets."""
        self._config, self._workspace, self.buckets = config, workspace, buckets

    def setup(self) -> None:
        """Does nothing, since counting needs no tables."""

    def process(self, unit: Unit) -> dict[str, Any]:
        """Writes the counts of the symbols of the unit's training split.

        Returns:
            `unit`, the unit's number, `documents`, the number of documents in each split, and `equal`, how often
            each of the most frequent texts occurs, by its hash.
        """
        documents = unit_documents(self._workspace, unit.index)
        ranges = documents.split_ranges(np.where(documents.reasons == "", documents.tokens, 0), self._config)
        symbols = unit_symbols(self._workspace, unit.index, self._config)
        counts = np.zeros(len(symbols), np.int64)
        for batch, where, offsets in unit_tokens(self._workspace, unit.index, documents, symbols=len(symbols)):
            chunk_starts, lengths = batch.edges[:-1], np.diff(batch.edges)
            starts, ends = (np.clip(edges[_TRAIN, where] - offsets, 0, lengths) for edges in ranges)
            count_slices(batch.numbers, chunk_starts + starts, chunk_starts + ends, counts)
        table = pa.table({"symbol": symbols, "count": counts}).filter(pc.field("count") > 0)
        files.write_atomically(self._path(unit.index), _serialize_buckets(table, self.buckets))
        in_split = (ranges.starts < ranges.ends).sum(axis=1).tolist()
        return {
            "unit": unit.index,
            "documents": dict(zip(SPLITS, in_split, strict=True)),
            "equal": most_frequent_digests(documents.digests[documents.reasons == ""]),
        }

    def counts(self, unit: int, bucket: int | None = None) -> pa.Table:
        """Returns the counts that `process` wrote for a unit.

        Args:
            unit: number of the unit.
            bucket: number of the only bucket to read; None for all buckets.

        Returns:
            A table with the columns `symbol` (binary or int32) and `count` (int64).
        """
        return read_counts(self._workspace, self._path(unit), self._symbol_type, self.buckets, bucket)

    @functools.cached_property
    def _symbol_type(self) -> pa.DataType:
        return symbol_type(self._config, self._workspace)

    def _path(self, unit: int) -> str:
        return self._workspace.unit_path(COUNTS, unit, "counts")


class TakeCensus(beam.PTransform):
    """Sums the results of CountUnit over all units, and writes the Census to the workspace."""

    def __init__(self, count: CountUnit, config: PrepareConfig, workspace: Workspace):
        super().__init__()
        self._count, self._workspace = count, workspace
        # Those after the ones that become the vocabulary are examples of unknown tokens.
        self._size = symbols_to_learn(config, workspace) + UNKNOWN_EXAMPLES

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the steps."""
        return (
            results
            | "KeyUnits" >> beam.WithKeys(None)
            | "GroupUnits" >> beam.GroupByKey()
            | "CreateBuckets" >> beam.FlatMap(_bucket_tasks, self._count.buckets)
            | "SpreadBuckets" >> beam.Reshuffle()
            | "SumBucket" >> beam.ParDo(SumBucket(self._count, self._size))
            | "GroupHeads" >> beam.GroupByKey()
            | "WriteCensus" >> beam.ParDo(WriteCensus(self._size, self._workspace))
        )


class DocumentCounts(NamedTuple):
    """Numbers of documents, over all units.

    Attributes:
        by_split: number of documents in each split.
        equal_documents: number of documents with the most frequent text, of those that are frequent in a unit.
    """

    by_split: dict[str, int]
    equal_documents: int


class Bucket(NamedTuple):
    """A bucket to sum over the units.

    Attributes:
        number: number of the bucket, from 0.
        units: numbers of the units.
        documents: counts of all documents, the same in each bucket.
    """

    number: int
    units: list[int]
    documents: DocumentCounts


class PartialCensus(NamedTuple):
    """Census of one bucket.

    Attributes:
        head: counts of its most frequent symbols as an Arrow stream.
        histogram: for each count, the number of its symbols that occur that often.
        documents: as in Bucket.
    """

    head: bytes
    histogram: dict[int, int]
    documents: DocumentCounts


def _bucket_tasks(group: tuple[None, Iterable[dict[str, Any]]], count: int) -> Iterator[Bucket]:
    results = sorted(group[1], key=_unit)
    documents, equal = Counter[str](), Counter[str]()
    for result in results:
        documents.update(result["documents"])
        equal.update(result["equal"])
    counts = DocumentCounts(dict(documents), max(equal.values(), default=1))
    units = [_unit(result) for result in results]
    for number in range(count):
        yield Bucket(number, units, counts)


def _unit(result: dict[str, Any]) -> int:
    return result["unit"]


class SumBucket(beam.DoFn):
    """Sums the counts of a bucket over all units, and keeps the most frequent symbols."""

    def __init__(self, count: CountUnit, size: int):
        self._count, self._size = count, size

    def process(self, bucket: Bucket) -> Iterator[tuple[None, PartialCensus]]:
        """Yields the most frequent symbols of the bucket under the key None."""
        counts = _sum_and_sort(self._count.counts(unit, bucket.number) for unit in bucket.units)
        head = table_to_bytes(counts.slice(0, self._size))
        yield None, PartialCensus(head, histogram(counts["count"]), bucket.documents)


class WriteCensus(beam.DoFn):
    """Merges the most frequent symbols of all buckets, and writes the census to the workspace."""

    def __init__(self, size: int, workspace: Workspace):
        self._size, self._workspace = size, workspace

    def process(self, heads: tuple[None, Iterable[PartialCensus]]) -> Iterator[str]:
        """Writes the file and yields its path."""
        parts = list(heads[1])
        counts = _sum_and_sort(table_from_bytes(part.head) for part in parts).slice(0, self._size)
        total = add_histograms([part.histogram for part in parts])
        documents = parts[0].documents
        yield write_census(counts, documents.by_split, total, documents.equal_documents, self._workspace)


def sum_counts(tables: Iterable[pa.Table]) -> pa.Table:
    """Returns the sum of the counts of each symbol.

    Args:
        tables: tables with the columns `symbol` (binary or int32) and `count` (int64).

    Returns:
        A table with the same columns, in which each symbol occurs once.
    """
    found = list(tables)
    if not found:
        return pa.table({"symbol": pa.array([], pa.binary()), "count": pa.array([], pa.int64())})
    summed = pa.concat_tables(found).group_by("symbol", use_threads=False).aggregate([("count", "sum")])
    return summed.rename_columns(["symbol", "count"])


def _sum_and_sort(tables: Iterable[pa.Table]) -> pa.Table:
    """Returns the sums of the symbols' counts, by falling count, ties by symbol."""
    total = sum_counts(table for table in tables if table.num_rows)
    return total.sort_by([("count", "descending"), ("symbol", "ascending")])


def _serialize_buckets(table: pa.Table, count: int) -> bytes:
    """Serializes a table as an Arrow file with one record batch for each of `count` buckets."""
    buckets = _bucket_numbers(table["symbol"], count)
    ordered = table.take(pa.array(np.argsort(buckets, kind="stable"))).combine_chunks()
    edges = np.searchsorted(np.sort(buckets), np.arange(count + 1)).tolist()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        for start, end in itertools.pairwise(edges):
            batches = ordered.slice(start, end - start).to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
            writer.write_batch(batches[0])
    return sink.getvalue().to_pybytes()


def _bucket_numbers(symbols: pa.ChunkedArray, count: int) -> np.ndarray:
    """Returns int [N], the bucket of each symbol: the sum of its bytes, or its number, modulo `count`."""
    if not len(symbols):
        return np.empty(0, int)
    if symbols.type != pa.binary():
        return symbols.to_numpy() % count
    joined = pa.concat_arrays(symbols.chunks)
    _, offsets, data = joined.buffers()
    edges = np.frombuffer(offsets, np.int32)[joined.offset : joined.offset + len(joined) + 1]
    sums = np.zeros(edges[-1] + 1, np.uint32)
    np.cumsum(np.frombuffer(data, np.uint8)[: edges[-1]], dtype=np.uint32, out=sums[1:])
    # The difference of two sums is right where these have overflowed.
    return (sums[edges[1:]] - sums[edges[:-1]]) % count
