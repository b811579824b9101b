"""A group of blocks in memory, any pairs of which are cut in any order."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from textgen.config import PrepareConfig
from textgen.dataset import slices, windows
from textgen.dataset.choice import Blocks
from textgen.dataset.records import parse_pairs, span_sequences
from textgen.dataset.shards import record_edges
from textgen.dataset.windows import Sequences, Targets, Windows


class Group(Protocol):
    """The pairs of some blocks, numbered through."""

    def cut(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """X [N, W] and y [N] of the pairs with these numbers, int[N]."""
        ...


class PairGroup:
    """Of the `pairs` layout: a record a pair, parsed when it is wanted."""

    def __init__(self, contents: Sequence[bytes], served: np.ndarray, config: PrepareConfig, dtype: np.dtype):
        """`served` int[N] are the records that have a number; `dtype` is that of the ids wanted."""
        self._data = b"".join(contents)
        starts, ends = record_edges(self._data)
        self._starts, self._ends = starts[served], ends[served]
        self._window, self._dtype = config.window, dtype

    def cut(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See Group."""
        edges = zip(self._starts[numbers].tolist(), self._ends[numbers].tolist(), strict=True)
        records = tf.constant([self._data[start:end] for start, end in edges], tf.string)
        x, y = parse_pairs(records, window=self._window)
        return x.numpy().astype(self._dtype, copy=False), y.numpy().astype(self._dtype, copy=False)


class SpanGroup:
    """Of the `spans` layout: a window is cut when it is wanted."""

    def __init__(self, sequences: Sequences, served: np.ndarray, *, window: int, stride: int, dtype: np.dtype):
        """`served` int[N] are the targets of the sequences that have a number; `dtype` is that of the ids wanted."""
        self._windows = Windows(sequences.ids.astype(dtype, copy=False), window=window)
        places, begins = windows.targets(sequences, window=window, stride=stride)
        self._targets = Targets(places[served], begins[served])

    def cut(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See Group."""
        places, begins = self._targets
        return self._windows.cut(Targets(places[numbers], begins[numbers]))


def read_spans(contents: Sequence[bytes], *, stride: int, min_context: int, dtype: np.dtype) -> Sequences:
    """The sequences of blocks of spans; a target with less context than that is none.

    They lie in the blocks' own bytes, framing and all, which is never read as ids.

    Args:
        contents: the blocks.
        stride: from one target to the next.
        min_context: the tokens before a target at the least.
        dtype: that of the ids on disk, whose size all records and their framing are multiples of.
    """
    data = b"".join(contents)
    starts, ends = (edges // dtype.itemsize for edges in record_edges(data))
    found = span_sequences(np.frombuffer(data, dtype), starts, ends)
    if min_context == 1:
        return found
    missing = np.maximum(found.starts + min_context - found.firsts, 0)
    return found._replace(firsts=found.firsts - -missing // stride * stride)


def count_targets(content: bytes, *, stride: int, min_context: int, dtype: np.dtype) -> int:
    """How many targets of a block of spans have enough context."""
    found = read_spans([content], stride=stride, min_context=min_context, dtype=dtype)
    return int(windows.target_counts(found.firsts, found.ends, stride=stride).sum())


def served_targets(blocks: Blocks, which: np.ndarray, *, step: int) -> np.ndarray:
    """int[N], the numbers of the targets that are served, among all targets of these blocks in their order."""
    targets = blocks.targets[which]
    before = np.cumsum(targets) - targets
    return slices.places(before + blocks.firsts[which], blocks.pairs[which], step=step)
