"""The first pass: which tokens the training split has, and how many documents each split.

A unit counts its own tokens. The counts meet in buckets of tokens, a few large values each, since a million words
one by one are slow to shuffle; a token is in one bucket, so the heads of the buckets hold the head of all.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf

from pipelines import storage
from pipelines.workspace import Workspace
from textgen.config import SPLITS, PrepareConfig
from textgen.corpus.readers import READERS
from textgen.corpus.units import Unit
from textgen.dataset.splits import parts
from textgen.text.preprocessor import Analyzer, Tokens
from textgen.text.vocabulary import Vocabulary, most_frequent

STAGE = "vocabulary"
BUCKETS = 64


class Census(NamedTuple):
    """What the first pass finds: the vocabulary, and how many documents each split has."""

    vocabulary: Vocabulary
    documents: dict[str, int]


class CountUnit:
    """Counts a unit's tokens and documents."""

    stage = STAGE
    python_bound = False

    def __init__(self, config: PrepareConfig):
        self._config = config

    def setup(self) -> None:
        """Builds the text operations."""
        self._analyzer = Analyzer(self._config.text)

    def process(self, unit: Unit) -> dict[str, Any]:
        """`counts` of the training split's tokens, and `documents` by split."""
        counts: Counter[Any] = Counter()
        documents = Counter(dict.fromkeys(SPLITS, 0))
        for piece in unit.pieces:
            for batch in READERS[piece.format].read(piece, storage.open_file, self._config.text_field):
                if batch.texts:
                    self._count(self._analyzer.symbols(batch.texts), counts, documents)
        token = self._analyzer.tokenizer.token
        return {"counts": {token(symbol): n for symbol, n in counts.items()}, "documents": documents}

    def _count(self, tokens: Tokens, counts: Counter[Any], documents: Counter[str]) -> None:
        in_train = np.zeros(tokens.flat.shape[0], bool)
        start = 0
        for cleaned, length in zip(tokens.cleaned.numpy(), tokens.lengths.numpy().tolist(), strict=True):
            for part in parts(cleaned, length, self._config) if length else ():
                documents[part.split] += 1
                if part.split == "train":
                    in_train[start + part.start : start + part.end] = True
            start += length
        symbols, _, numbers = tf.unique_with_counts(tf.boolean_mask(tokens.flat, in_train))
        counts.update(dict(zip(symbols.numpy().tolist(), numbers.numpy().tolist(), strict=True)))


class LearnVocabulary(beam.PTransform):
    """Results of CountUnit → a Census in the workspace."""

    def __init__(self, size: int, workspace: Workspace):
        super().__init__()
        self._size, self._workspace = size, workspace

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the steps."""
        return (
            results
            | "SpreadCounts" >> beam.ParDo(SpreadCounts())
            | "GroupBuckets" >> beam.GroupByKey()
            | "MergeBucket" >> beam.ParDo(MergeBucket(self._size))
            | "GroupHeads" >> beam.GroupByKey()
            | "WriteCensus" >> beam.ParDo(WriteCensus(self._size, self._workspace))
        )


class SpreadCounts(beam.DoFn):
    """A unit's result → (bucket, the part of it in that bucket); bucket 0 has the documents too."""

    def process(self, result: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """One result in, a value a bucket out."""
        shares: list[dict[str, Any]] = [{"counts": {}, "documents": {}} for _ in range(BUCKETS)]
        for token, count in result["counts"].items():
            shares[zlib.crc32(token.encode()) % BUCKETS]["counts"][token] = count
        shares[0]["documents"] = result["documents"]
        yield from enumerate(shares)


class MergeBucket(beam.DoFn):
    """A bucket's parts → their sum, less the tokens that can't be among the most frequent."""

    def __init__(self, size: int):
        self._size = size

    def process(
        self, bucket: tuple[int, Iterable[dict[str, Any]]]
    ) -> Iterator[tuple[None, tuple[Vocabulary, Counter[str]]]]:
        """One bucket in, one head out, all under one key."""
        counts, documents = Counter[str](), Counter[str]()
        for share in bucket[1]:
            counts.update(share["counts"])
            documents.update(share["documents"])
        yield None, (most_frequent(counts, self._size), documents)


class WriteCensus(beam.DoFn):
    """The heads of all buckets → `census.json`."""

    def __init__(self, size: int, workspace: Workspace):
        self._size, self._workspace = size, workspace

    def process(self, heads: tuple[None, Iterable[tuple[Vocabulary, Counter[str]]]]) -> Iterator[str]:
        """Writes the file and tells its path."""
        counts: list[tuple[str, int]] = []
        documents = Counter[str]()
        for (tokens, numbers), split_documents in heads[1]:
            counts.extend(zip(tokens, numbers, strict=True))
            documents.update(split_documents)
        census = Census(most_frequent(counts, self._size), dict(documents))
        path = self._workspace.work_path("census.json")
        storage.write(path, json.dumps(census).encode())
        yield path


def read_census(workspace: Workspace) -> Census | None:
    """What the first pass found, if it is done."""
    content = storage.read(workspace.work_path("census.json"))
    if content is None:
        return None
    (tokens, counts), documents = json.loads(content)
    return Census(Vocabulary(tuple(tokens), tuple(counts)), documents)
