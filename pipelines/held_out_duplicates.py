"""Finds documents of equal text in different splits, where the input or a group chooses the splits.

The hash of a text puts equal texts into the same split; files, a field or a group may not. The held-out documents
whose text another split has are counted, and on request the training documents that equal one of them are dropped.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np

from pipelines.duplicates import BUCKETS, KeyDocuments, KeyedDocuments
from pipelines.unit_lists import CreateUnits
from pipelines.workspace import DUPLICATES, OVERLAP, Workspace
from textgen.config import SPLITS, PrepareConfig
from textgen.corpus.units import Unit

HELD_OUT_DUPLICATE = "held-out duplicate"
"""Drop reason of training documents whose text a held-out document has too."""

_TRAIN = len(SPLITS) - 1
"""Rank of a training document; see `KeyedDocuments`."""


class SharedDocuments(NamedTuple):
    """Documents of one unit whose text another split has too.

    Attributes:
        trained: indices of the training documents.
        held_out: number of the held-out documents, by split.
    """

    trained: list[int]
    held_out: dict[str, int]


class FindHeldOutDuplicates(beam.PTransform):
    """Records per unit the documents whose text another split has too."""

    def __init__(self, units: list[Unit], config: PrepareConfig, workspace: Workspace):
        super().__init__()
        self._units, self._config, self._workspace = units, config, workspace

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Adds the steps."""
        drop = self._config.held_out_duplicates == "drop"
        return (
            pipeline
            | "ListUnits" >> CreateUnits(self._units, self._workspace)
            | "SpreadUnits" >> beam.Reshuffle()
            | "KeyDocuments" >> beam.ParDo(KeyDocuments(self._workspace, self._config, near=False, buckets=BUCKETS))
            | "GroupBuckets" >> beam.GroupByKey()
            | "MatchSplits" >> beam.ParDo(MatchSplits(drop=drop))
            | "GroupUnits" >> beam.GroupByKey()
            | "RecordOverlap" >> beam.ParDo(RecordOverlap(self._workspace))
        )


class MatchSplits(beam.DoFn):
    """Finds the documents of a bucket whose text another split has too."""

    def __init__(self, *, drop: bool):
        self._drop = drop

    def process(self, bucket: tuple[int, Iterable[KeyedDocuments]]) -> Iterator[tuple[int, SharedDocuments]]:
        """Yields the overlap of each unit that has some.

        Where training documents are dropped, a held-out document is counted only if another held-out split has it.
        """
        documents = list(bucket[1])
        keys = np.concatenate([each.keys for each in documents])
        ranks = np.concatenate([each.ranks for each in documents])
        indices = np.concatenate([each.indices for each in documents])
        units = np.repeat([each.unit for each in documents], [len(each.indices) for each in documents])
        _, texts = np.unique(keys, axis=0, return_inverse=True)
        texts = texts.reshape(-1)
        present = np.zeros((texts.max() + 1, len(SPLITS)), bool)
        present[texts, ranks] = True
        is_trained = ranks == _TRAIN
        dropped = is_trained & self._drop & present[texts, :_TRAIN].any(axis=1)
        compared = present[:, :_TRAIN] if self._drop else present
        shared = ~is_trained & (compared[texts].sum(axis=1) > 1)
        for unit in np.unique(units[dropped | shared]).tolist():
            here = units == unit
            counts = Counter(SPLITS[_TRAIN - rank] for rank in ranks[here & shared].tolist())
            yield unit, SharedDocuments(indices[here & dropped].tolist(), dict(counts))


class RecordOverlap(beam.DoFn):
    """Adds the dropped documents of a unit to its duplicates, and records the number of its shared held-out ones."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace

    def process(self, found: tuple[int, Iterable[SharedDocuments]]) -> Iterator[dict[str, Any]]:
        """Writes the records of the unit, and yields that of the held-out documents."""
        unit, overlaps = found
        dropped, counts = list[int](), Counter[str]()
        for overlap in overlaps:
            dropped += overlap.trained
            counts.update(overlap.held_out)
        if dropped:
            record = self._workspace.recorded(DUPLICATES, unit) or {}
            self._workspace.record(DUPLICATES, unit, {**record, HELD_OUT_DUPLICATE: sorted(dropped)})
        shared = {split: counts[split] for split in SPLITS if counts[split]}
        if shared:
            self._workspace.record(OVERLAP, unit, shared)
        yield shared
