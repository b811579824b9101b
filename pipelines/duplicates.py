"""The pass over all documents' hashes: which of them repeat another, exactly or nearly.

Of those that are alike the first in the corpus stays: the one in the lowest unit, and there the lowest place. Hashes
travel by the thousand, a bucket of a unit in one value, since a Beam element each is slow.
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
"""A document: its unit, and its place there."""


class Keyed(NamedTuple):
    """Documents of one unit with keys that fall in one bucket; equal keys make two documents candidates.

    Attributes:
        unit: the unit's number.
        keys: uint64 [N, K].
        places: int64 [N].
        sketches: uint8 [N, 112]; none for exact duplicates, whose keys say all.
    """

    unit: int
    keys: np.ndarray
    places: np.ndarray
    sketches: np.ndarray | None


def wanted(selection: SelectionConfig) -> bool:
    """Whether duplicates are looked for; who asks for near ones asks for exact ones too."""
    return selection.duplicates == "drop" or selection.near_duplicates > 0


class FindDuplicates(beam.PTransform):
    """Units → (unit, the places of its duplicates), recorded in the workspace."""

    def __init__(self, units: list[Unit], workspace: Workspace, *, near: float):
        super().__init__()
        self._units, self._workspace, self._near = units, workspace, near

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Adds the steps; with `near` 0 the exact ones are looked for, else those as similar."""
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
    """A unit → (bucket, its kept documents' keys in that bucket)."""

    def __init__(self, workspace: Workspace, *, near: bool):
        self._workspace, self._near = workspace, near

    def process(self, unit: Unit) -> Iterator[tuple[int, Keyed]]:
        """One unit in, a value a bucket out."""
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
    buckets = keys[:, -1] % BUCKETS
    for bucket in np.unique(buckets).tolist():
        here = np.flatnonzero(buckets == bucket)
        yield bucket, Keyed(unit, keys[here], places[here], None if sketches is None else sketches[here])


class MatchDocuments(beam.DoFn):
    """A bucket → the pairs of documents in it that are alike, all under one key."""

    def __init__(self, near: float):
        self._near = near

    def process(self, bucket: tuple[int, Iterable[Keyed]]) -> Iterator[tuple[None, list[tuple[Place, Place]]]]:
        """Each document is compared with the one before it of the same key, and with the first."""
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
    """All matches → (unit, place) of every document that is not the first of those that are alike with it."""

    def process(self, matches: tuple[None, Iterable[list[tuple[Place, Place]]]]) -> Iterator[Place]:
        """One value in, a pair a duplicate out; likeness is passed on, as A to B and B to C."""
        first: dict[Place, Place] = {}
        for one, other in itertools.chain.from_iterable(matches[1]):
            a, b = _find(first, one), _find(first, other)
            if a != b:
                first[max(a, b)] = min(a, b)
        for place in list(first):
            if _find(first, place) != place:
                yield place


def _find(first: dict[Place, Place], place: Place) -> Place:
    root = place
    while root in first:
        root = first[root]
    while place != root:
        first[place], place = root, first[place]
    return root


class RecordPlaces(beam.DoFn):
    """(unit, places) → the unit's record, beside what it holds already."""

    def __init__(self, workspace: Workspace, reason: str):
        self._workspace, self._reason = workspace, reason

    def process(self, found: tuple[int, Iterable[int]]) -> Iterator[dict[str, Any]]:
        """Writes and yields the record."""
        unit, places = found
        record = self._workspace.recorded(DUPLICATES, unit) or {}
        record[self._reason] = sorted(places)
        self._workspace.record(DUPLICATES, unit, record)
        yield record
