"""A group of blocks in memory, whose pairs are cut in the order that they are served.

Many pairs are cut by few calls of NumPy's: each lets go of Python's lock, and has to get it back from whoever takes
the batches.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from textgen.dataset.loading.read_options import Blocks
from textgen.dataset.storage import examples, ragged, windows
from textgen.dataset.storage.records import span_dtype, span_sequences
from textgen.dataset.storage.shards import record_edges
from textgen.dataset.storage.windows import Sequences, Targets, Windows


class Group(Protocol):
    """The pairs, or rows of targets, of some blocks, numbered in the order that they are served."""

    def cut(self, numbers: slice | np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """Fills x [N, W] and y [N], or [N, W] of rows, of any integer dtype, with the pairs of these N numbers."""
        ...


class PairGroup:
    """Of the `pairs` layout: windows that are cut already, as they were parsed."""

    def __init__(self, contents: Sequence[bytes], served: np.ndarray, *, window: int, vocabulary_size: int):
        """`served` int[N] are the records in the order that they are numbered."""
        dtype = span_dtype(vocabulary_size)
        found = [examples.edges(content) for content in contents]
        records = sum(len(starts) for starts, _ in found)
        x, self._y = np.empty((records, window), dtype), np.empty(records, dtype)
        done = 0
        for content, (starts, ends) in zip(contents, found, strict=True):
            some = slice(done, done + len(starts))
            examples.parse(content, starts, ends, x[some], self._y[some], vocabulary_size=vocabulary_size)
            done += len(starts)
        # A window is one item, which is copied at once.
        self._rows = x.view(np.dtype((np.void, window * dtype.itemsize)))[:, 0]
        self._served = served.astype(np.int32)

    def cut(self, numbers: slice | np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """See Group."""
        which = self._served[numbers]
        x[...] = self._rows.take(which).view(self._y.dtype).reshape(x.shape)
        y[...] = self._y.take(which)


class SpanGroup:
    """Of the `spans` layout: a window is cut when it is wanted."""

    def __init__(self, sequences: Sequences, served: np.ndarray, *, window: int, stride: int):
        """`served` int[N] are the targets of the sequences in the order that they are numbered."""
        self._windows = Windows(sequences.ids, window=window)
        # As int32, which is half of the memory to go through; `take` is several times as fast as indexing.
        compact = Sequences(sequences.ids, *(places.astype(np.int32) for places in sequences[1:]))
        places, begins = windows.targets(compact, window=window, stride=stride)
        self._places, self._begins = places.take(served), begins.take(served)

    def cut(self, numbers: slice | np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """See Group."""
        x[...], y[...] = self._windows.cut(Targets(self._places[numbers], self._begins[numbers]))


class RowGroup:
    """Of the `spans` layout: rows of up to W targets, each with the id before it.

    Attributes:
        begin: bool[N], whether a document begins with a row.
    """

    def __init__(self, sequences: Sequences, served: np.ndarray, *, window: int):
        """`served` int[N] are the rows of the sequences in the order that they are numbered."""
        self._windows = Windows(sequences.ids, window=window)
        firsts, widths, begin = windows.rows(sequences, window=window)
        self._firsts, self._widths, self.begin = firsts[served], widths[served], begin[served]

    def cut(self, numbers: slice | np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """See Group."""
        firsts, widths = self._firsts[numbers], self._widths[numbers]
        x[...] = self._windows.at(firsts - 1, widths)
        y[...] = self._windows.at(firsts, widths)


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


def count_rows(content: bytes, *, window: int, dtype: np.dtype) -> int:
    """How many rows of up to W targets a block of spans has."""
    found = read_spans([content], stride=1, min_context=1, dtype=dtype)
    return int(windows.target_counts(found.firsts, found.ends, stride=window).sum())


def served_targets(blocks: Blocks, which: np.ndarray, *, step: int) -> np.ndarray:
    """int[N], the numbers of the targets that are served, among all targets of these blocks in their order."""
    targets = blocks.targets[which]
    before = np.cumsum(targets) - targets
    return ragged.places(before + blocks.firsts[which], blocks.pairs[which], step=step)
