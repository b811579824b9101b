"""Finds exact and near duplicates by the hashes of all documents.

Of the documents that duplicate each other, the first in the corpus is kept: the one with the lowest unit number and,
within the unit, the lowest index. Where the input or a group chooses the splits, one of the test goes before one of
validation, and that before one of training, so that the held-out text stays whole. One Beam element holds all hashes
of a unit that fall in one bucket, since one element per hash is slow.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np

from pipelines.document_files import unit_documents
from pipelines.unit_lists import CreateUnits
from pipelines.workspace import DUPLICATES, TOKENS, Workspace
from textgen.config import SPLITS, PrepareConfig, SelectionConfig
from textgen.corpus.units import Unit
from textgen.text import minhash

EXACT, NEAR = "exact duplicate", "near duplicate"
BUCKETS = 64

Position = tuple[int, int, int]
"""Position of a document in the corpus: its rank, the number of its unit, and its index within the unit."""

Match = tuple[Position, Position]
"""Two documents that duplicate each other, in corpus order."""


class KeyedDocuments(NamedTuple):
    """Documents of one unit whose keys fall in one bucket; documents with equal keys are candidate duplicates.

    Attributes:
        unit: number of the unit.
        keys: uint64 [N, 2], the key of each document: its hash, or a band and its hash.
        indices: int64 [N], index of each document within the unit.
        ranks: int64 [N], rank of each document: 0 for one of the test, 1 of validation, 2 of training; all 0 where
            the hash of the text chooses the split.
        sketches: uint8 [N, 112], low bits of the MinHash signatures; None in the search for exact duplicates.
    """

    unit: int
    keys: np.ndarray
    indices: np.ndarray
    ranks: np.ndarray
    sketches: np.ndarray | None


def wanted(selection: SelectionConfig) -> bool:
    """Returns whether to search for duplicates; a search for near duplicates includes the exact ones."""
    return selection.duplicates == "drop" or selection.near_duplicates > 0


class FindDuplicates(beam.PTransform):
    """Finds the duplicates of each unit and records their indices in the workspace."""

    def __init__(
        self, units: list[Unit], config: PrepareConfig, workspace: Workspace, *, near: float, buckets: int = BUCKETS
    ):
        """Creates the transform.

        Args:
            units: all units.
            config: settings of the splits.
            workspace: the output folder.
            near: minimum Jaccard similarity of near duplicates; 0 searches for exact duplicates.
            buckets: number of buckets among which the keys are divided.
        """
        super().__init__()
        self._units, self._config, self._workspace = units, config, workspace
        self._near, self._buckets = near, buckets

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Adds the steps."""
        key = KeyDocuments(self._workspace, self._config, near=self._near > 0, buckets=self._buckets)
        return (
            pipeline
            | "ListUnits" >> CreateUnits(self._units, self._workspace)
            | "SpreadUnits" >> beam.Reshuffle()
            | "KeyDocuments" >> beam.ParDo(key)
            | "GroupBuckets" >> beam.GroupByKey()
            | "MatchDocuments" >> beam.ParDo(MatchDocuments(self._near))
            | "GroupMatches" >> beam.GroupByKey()
            | "KeepFirst" >> beam.ParDo(KeepFirst())
            | "GroupUnits" >> beam.GroupByKey()
            | "RecordDuplicates" >> beam.ParDo(RecordDuplicates(self._workspace, NEAR if self._near else EXACT))
        )


class KeyDocuments(beam.DoFn):
    """Computes the keys of a unit's kept documents, grouped by bucket."""

    def __init__(self, workspace: Workspace, config: PrepareConfig, *, near: bool, buckets: int):
        self._workspace, self._config, self._near, self._buckets = workspace, config, near, buckets

    def process(self, unit: Unit) -> Iterator[tuple[int, KeyedDocuments]]:
        """Yields (bucket, documents) for each bucket that has a key; for near duplicates, once per band."""
        documents = unit_documents(self._workspace, unit.index)
        kept = np.flatnonzero(documents.reasons == "")
        ranks: np.ndarray = np.zeros(len(kept), np.int64)
        if self._config.separates_equal_texts:
            ranks = len(SPLITS) - 1 - documents.split_indices(self._config)[kept]
        if self._near:
            signatures = documents.signatures[kept]
            if len(kept) and not signatures.shape[1]:
                path = self._workspace.unit_path(TOKENS, unit.index, "documents")
                raise self._workspace.damage(path, "it has no signatures, by which near duplicates are found")
            sketches = minhash.sketches(signatures)
            for band, keys in enumerate(minhash.band_keys(signatures)):
                banded = np.stack([np.full_like(keys, band), keys], axis=1)
                yield from _by_bucket(KeyedDocuments(unit.index, banded, kept, ranks, sketches), self._buckets)
        else:
            keys = documents.digests[kept].view("<u8")
            yield from _by_bucket(KeyedDocuments(unit.index, keys, kept, ranks, None), self._buckets)


def _by_bucket(documents: KeyedDocuments, count: int) -> Iterator[tuple[int, KeyedDocuments]]:
    """Yields each of `count` buckets that has keys, with its documents."""
    unit, keys, indices, ranks, sketches = documents
    buckets = keys[:, -1] % count
    for bucket in np.unique(buckets).tolist():
        here = np.flatnonzero(buckets == bucket)
        chosen = None if sketches is None else sketches[here]
        yield bucket, KeyedDocuments(unit, keys[here], indices[here], ranks[here], chosen)


class MatchDocuments(beam.DoFn):
    """Finds the pairs of duplicates within a bucket."""

    def __init__(self, near: float):
        self._near = near

    def process(self, bucket: tuple[int, Iterable[KeyedDocuments]]) -> Iterator[tuple[None, list[Match]]]:
        """Compares each document with the preceding document of the same key and with the first one.

        Yields:
            A list of the pairs, under the key None; nothing if there is no pair.
        """
        documents = sorted(bucket[1], key=_unit)
        keys = np.concatenate([each.keys for each in documents])
        indices = np.concatenate([each.indices for each in documents])
        units = np.repeat([each.unit for each in documents], [len(each.indices) for each in documents])
        ranks = np.concatenate([each.ranks for each in documents])
        order = np.lexsort((indices, units, ranks, *keys.T))
        is_first = np.append(True, (keys[order[1:]] != keys[order[:-1]]).any(axis=1))
        firsts = order[np.flatnonzero(is_first)[np.cumsum(is_first) - 1]][~is_first]
        others = order[~is_first]
        preceding = order[:-1][~is_first[1:]]
        one, other = np.concatenate([firsts, preceding]), np.concatenate([others, others])
        if self._near:
            sketches = np.concatenate([each.sketches for each in documents])
            similar = minhash.similarity(sketches[one], sketches[other]) >= self._near
            one, other = one[similar], other[similar]
        if len(one):
            positions = np.stack([ranks, units, indices], axis=1)
            yield None, list(zip(_positions(positions[one]), _positions(positions[other]), strict=True))


def _unit(documents: KeyedDocuments) -> int:
    return documents.unit


def _positions(rows: np.ndarray) -> list[Position]:
    return [(rank, unit, index) for rank, unit, index in rows.tolist()]


class KeepFirst(beam.DoFn):
    """Finds, from all pairs, every document that duplicates an earlier one."""

    def process(self, matches: tuple[None, Iterable[list[Match]]]) -> Iterator[tuple[int, int]]:
        """Yields the unit of each duplicate and its index; if A duplicates B and B duplicates C, A duplicates C."""
        first: dict[Position, Position] = {}
        for one, other in itertools.chain.from_iterable(matches[1]):
            a, b = _find(first, one), _find(first, other)
            if a != b:
                first[max(a, b)] = min(a, b)
        for position in list(first):
            if _find(first, position) != position:
                yield position[1:]


def _find(first: dict[Position, Position], position: Position) -> Position:
    """Returns the first document that the one at `position` duplicates, by union-find with path compression."""
    root = position
    while root in first:
        root = first[root]
    while position != root:
        first[position], position = root, first[position]
    return root


class RecordDuplicates(beam.DoFn):
    """Adds the indices of a unit's duplicates to the unit's record."""

    def __init__(self, workspace: Workspace, reason: str):
        self._workspace, self._reason = workspace, reason

    def process(self, found: tuple[int, Iterable[int]]) -> Iterator[dict[str, Any]]:
        """Writes the record and yields it."""
        unit, indices = found
        record = self._workspace.recorded(DUPLICATES, unit) or {}
        record[self._reason] = sorted(indices)
        self._workspace.record(DUPLICATES, unit, record)
        yield record
