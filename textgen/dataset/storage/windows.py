"""Pairs, rows of targets and spans of a sequence of ids; both layouts use these definitions.

A document of n tokens is d = [BOS] t1 … tn [EOS]. Every position p ≥ 1 is a target once: y = d[p] and
X = d[max(0, p-W) : p]. X is never empty, and n tokens give n + 1 pairs. X is padded on the right, the only
side that the cuDNN LSTM accepts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textgen.config import PAD
from textgen.dataset.storage import ragged

Ids = np.ndarray
"""A one-dimensional array of token ids, of any integer dtype."""


class Sequences(NamedTuple):
    """Sequences of ids, or chunks of long ones, joined in one array.

    Attributes:
        ids: [T], ids of all sequences.
        starts: int [S], index of the first id of each sequence; up to the first target, ids are context only.
        firsts: int [S], index of the first target of each sequence.
        ends: int [S], index after the last id of each sequence.
    """

    ids: Ids
    starts: np.ndarray
    firsts: np.ndarray
    ends: np.ndarray


def sequences(each: Sequence[Ids]) -> Sequences:
    """Joins whole sequences, in which every id but the first is a target.

    >>> sequences([np.array([2, 7, 3]), np.array([2, 3])])
    Sequences(ids=array([2, 7, 3, 2, 3]), starts=array([0, 3]), firsts=array([1, 4]), ends=array([3, 5]))
    """
    ends = np.cumsum([len(ids) for ids in each])
    starts = ends - [len(ids) for ids in each]
    return Sequences(np.concatenate(each), starts, starts + 1, ends)


class Targets(NamedTuple):
    """Targets of sequences, in order.

    Attributes:
        indices: int [N], index of each target in the ids.
        starts: int [N], index at which the X of each target starts: W ids before it, or at the start of its sequence.
    """

    indices: np.ndarray
    starts: np.ndarray


def targets(sequences: Sequences, *, window: int, stride: int) -> Targets:
    """Returns every `stride`-th target of sequences.

    >>> targets(sequences([np.array([2, 7, 8, 9, 3])]), window=2, stride=2)
    Targets(indices=array([1, 3]), starts=array([0, 1]))
    """
    counts = target_counts(sequences.firsts, sequences.ends, stride=stride)
    found = ragged.indices(sequences.firsts, counts, step=stride)
    return Targets(found, np.maximum(found - window, np.repeat(sequences.starts, counts)))


class Rows(NamedTuple):
    """Rows of up to W consecutive targets, in order.

    Attributes:
        firsts: int [N], index of the first target of each row.
        widths: int [N], number of targets in each row.
        starts_document: bool [N], whether a row is the first of its sequence; then its first target has one id
            of context.
    """

    firsts: np.ndarray
    widths: np.ndarray
    starts_document: np.ndarray


def rows(sequences: Sequences, *, window: int) -> Rows:
    """Splits the targets of sequences into rows; no row crosses from one sequence to the next.

    >>> found = rows(sequences([np.array([2, 7, 8, 9, 3])]), window=3)
    >>> found.firsts.tolist(), found.widths.tolist(), found.starts_document.tolist()
    ([1, 4], [3, 1], [True, False])
    """
    counts = target_counts(sequences.firsts, sequences.ends, stride=window)
    firsts = ragged.indices(sequences.firsts, counts, step=window)
    widths = np.minimum(window, np.repeat(sequences.ends, counts) - firsts)
    return Rows(firsts, widths, firsts == np.repeat(sequences.starts + 1, counts))


def target_counts(firsts: np.ndarray, ends: np.ndarray, *, stride: int) -> np.ndarray:
    """Returns int [S], the number of targets from each first index up to its end."""
    return np.maximum(-((firsts - ends) // stride), 0)


def spans(sequences: Sequences, *, context: int, max_targets: int) -> Sequences:
    """Splits sequences into spans: each target is in one, with up to `context` ids before the first of a span.

    >>> cut = spans(sequences([np.array([2, 4, 5, 6, 7, 3])]), context=2, max_targets=3)
    >>> cut.starts.tolist(), cut.firsts.tolist(), cut.ends.tolist()
    ([0, 2], [1, 4], [4, 6])
    """
    ids, starts, firsts, ends = sequences
    counts = target_counts(firsts, ends, stride=max_targets)
    span_firsts = ragged.indices(firsts, counts, step=max_targets)
    return Sequences(
        ids,
        np.maximum(span_firsts - context, np.repeat(starts, counts)),
        span_firsts,
        np.minimum(span_firsts + max_targets, np.repeat(ends, counts)),
    )


class Windows:
    """Extracts windows from ids, at any indices in any order."""

    def __init__(self, ids: Ids, *, window: int):
        """Args: `ids` [T] of joined sequences, and `window`, the width W of an X."""
        self._ids = np.concatenate([ids, np.full(window, PAD, ids.dtype)])
        # A window is one item of W ids, so that NumPy copies it at once; the items overlap.
        item = np.dtype((np.void, window * ids.dtype.itemsize))
        self._rows: np.ndarray = np.ndarray(len(ids) + 1, item, self._ids, strides=ids.dtype.itemsize)
        # Row w has all bits set in its first w ids, and none after them.
        self._kept = (np.tri(window + 1, window, -1, dtype=ids.dtype) * ~ids.dtype.type(0)).view(item)[:, 0]
        self._window = window

    def pairs(self, targets: Targets) -> tuple[np.ndarray, Ids]:
        """Returns X [N, W], padded on the right with PAD, and y [N] of N targets, of the dtype of the ids."""
        indices, starts = targets
        return self.extract(starts, indices - starts), self._ids[indices]

    def extract(self, starts: np.ndarray, widths: np.ndarray) -> np.ndarray:
        """Returns [N, W]: `widths[i]` ids from index `starts[i]` on, padded on the right with PAD."""
        rows = self._rows[starts].view(self._ids.dtype)
        # Short windows were read too far; PAD is 0. Masking all is faster than finding the short ones.
        rows &= self._kept.take(widths).view(self._ids.dtype)
        return rows.reshape(len(starts), self._window)
