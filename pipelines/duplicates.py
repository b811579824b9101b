"""Finds exact and near duplicates by the hashes of all documents.

Of the documents that duplicate each other, the first in the corpus is kept: the one with the lowest unit number and,
within the unit, the lowest index. One Beam element holds all hashes of a unit that fall in one bucket, since one
element per hash is slow.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np

from pipelines.token_files import unit_documents
from pipelines.workspace import DUPLICATES, Workspace
from textgen.config import SelectionConfig
from textgen.corpus.units import Unit
from textgen.text import minhash

EXACT, NEAR = "exact duplicate", "near duplicate"
BUCKETS = 64

Place = tuple[int, int]
"""Number of a document's unit, and index of the document within the unit."""


class Keyed(NamedTuple):
    """Documents of one unit whose keys fall in one bucket; two documents with equal keys are candidates.

    Attributes:
        unit: number of the unit.
        keys: uint64 [N, 2], the key of each document: its hash, or a band and its hash.
        places: int64 [N], index of each document within the unit.
        sketches: uint8 [N, 112], low bits of the MinHash signatures; None in the search for exact duplicates.
    """

    unit: int
    keys: np.ndarray
    places: np.ndarray
    sketches: np.ndarray | None


def wanted(selection: SelectionConfig) -> bool:
    """Returns whether to search for duplicates; a search for near duplicates includes the exact ones."""
    return selection.duplicates == "drop" or selection.near_duplicates > 0


class FindDuplicates(beam.PTransform):
    """Finds the duplicates of each unit and records their indices in the workspace."""

    def __init__(self, units: list[Unit], workspace: Workspace, *, near: float):
        """Creates the transform.

        Args:
            units: all units.
            workspace: the output folder.
            near: minimum Jaccard similarity of near duplicates; 0 searches for exact duplicates.
        """
        super().__init__()
        self._units, self._workspace, self._near = units, workspace, near

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Adds the steps."""
        return (
            pipeline
            | "CreateUnits" >> beam.Create(self._units)
            | "SpreadUnits" >> beam.Reshuffle()
            | "KeyDocuments" >> beam.ParDo(KeyDocuments(self._workspace, near=self._near > 0))
            | "GroupBuckets" >> beam.GroupByKey()
            | "MatchDocuments" >> beam.ParDo(MatchDocuments(self._near))
            | "GroupMatches" >> beam.GroupByKey()
            | "KeepFirst" >> beam.ParDo(KeepFirst())
            | "GroupUnits" >> beam.GroupByKey()
            | "RecordPlaces" >> beam.ParDo(RecordPlaces(self._workspace, NEAR if self._near else EXACT))
        )


class KeyDocuments(beam.DoFn):
    """Computes the keys of a unit's kept documents, grouped by bucket."""

    def __init__(self, workspace: Workspace, *, near: bool):
        self._workspace, self._near = workspace, near

    def process(self, unit: Unit) -> Iterator[tuple[int, Keyed]]:
        """Yields (bucket, documents) for each bucket that has a key; for near duplicates, once per band."""
        documents = unit_documents(self._workspace, unit.index)
        kept = np.flatnonzero(documents.reasons == "")
        if self._near:
            signatures = documents.signatures[kept]
            sketches = minhash.sketches(signatures)
            for band, keys in enumerate(minhash.band_keys(signatures)):
                banded = np.stack([np.full_like(keys, band), keys], axis=1)
                yield from _by_bucket(unit.index, banded, kept, sketches)
        else:
            yield from _by_bucket(unit.index, documents.digests[kept].view("<u8"), kept, None)


def _by_bucket(
    unit: int, keys: np.ndarray, places: np.ndarray, sketches: np.ndarray | None
) -> Iterator[tuple[int, Keyed]]:
    """Yields each bucket that has keys, with its documents.

    Args:
        unit: number of the unit.
        keys: uint64 [N, 2].
        places: int64 [N], index of each document within the unit.
        sketches: uint8 [N, 112], or None.
    """
    buckets = keys[:, -1] % BUCKETS
    for bucket in np.unique(buckets).tolist():
        here = np.flatnonzero(buckets == bucket)
        yield bucket, Keyed(unit, keys[here], places[here], None if sketches is None else sketches[here])


class MatchDocuments(beam.DoFn):
    """Finds the pairs of duplicates within a bucket."""

    def __init__(self, near: float):
        self._near = near

    def process(self, bucket: tuple[int, Iterable[Keyed]]) -> Iterator[tuple[None, list[tuple[Place, Place]]]]:
        """Compares each document with the preceding document of the same key and with the first one.

        Yields:
            A list of the pairs, under the key None; nothing if there is no pair.
        """
        parts = sorted(bucket[1], key=_unit)
        keys = np.concatenate([part.keys for part in parts])
        places = np.concatenate([part.places for part in parts])
        units = np.repeat([part.unit for part in parts], [len(part.places) for part in parts])
        order = np.lexsort((places, units, *keys.T))
        fresh = np.append(True, (keys[order[1:]] != keys[order[:-1]]).any(axis=1))
        firsts = order[np.flatnonzero(fresh)[np.cumsum(fresh) - 1]][~fresh]
        others = order[~fresh]
        before = order[:-1][~fresh[1:]]
        one, other = np.concatenate([firsts, before]), np.concatenate([others, others])
        if self._near:
            sketches = np.concatenate([part.sketches for part in parts])
            alike = minhash.similarity(sketches[one], sketches[other]) >= self._near
            one, other = one[alike], other[alike]
        if len(one):
            yield None, list(zip(_places(units, places, one), _places(units, places, other), strict=True))


def _unit(part: Keyed) -> int:
    return part.unit


def _places(units: np.ndarray, places: np.ndarray, rows: np.ndarray) -> list[Place]:
    return list(zip(units[rows].tolist(), places[rows].tolist(), strict=True))


class KeepFirst(beam.DoFn):
    """Finds, from all pairs, every document that duplicates an earlier one."""

    def process(self, matches: tuple[None, Iterable[list[tuple[Place, Place]]]]) -> Iterator[Place]:
        """Yields (unit, index) of each duplicate; duplication is transitive: A of B and B of C makes A one of C."""
        first: dict[Place, Place] = {}
        for one, other in itertools.chain.from_iterable(matches[1]):
            a, b = _find(first, one), _find(first, other)
            if a != b:
                first[max(a, b)] = min(a, b)
        for place in list(first):
            if _find(first, place) != place:
                yield place


def _find(first: dict[Place, Place], place: Place) -> Place:
    """Returns the first document that `place` duplicates, by union-find with path compression."""
    root = place
    while root in first:
        root = first[root]
    while place != root:
        first[place], place = root, first[place]
    return root


class RecordPlaces(beam.DoFn):
    """Adds the indices of a unit's duplicates to the unit's record."""

    def __init__(self, workspace: Workspace, reason: str):
        self._workspace, self._reason = workspace, reason

    def process(self, found: tuple[int, Iterable[int]]) -> Iterator[dict[str, Any]]:
        """Writes the record and yields it."""
        unit, places = found
        record = self._workspace.recorded(DUPLICATES, unit) or {}
        record[self._reason] = sorted(places)
        self._workspace.record(DUPLICATES, unit, record)
        yield record
