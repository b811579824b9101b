"""Which (X, y) pairs, or rows of targets, a sequence of ids holds; both layouts ask here.

A document of n tokens is d = [BOS] t1 … tn [EOS]. Every position p ≥ 1 is a target once: y = d[p] and
X = d[max(0, p-W) : p]. X is never empty, and n tokens give n + 1 pairs. X is padded on the right, which is the
only side that the cuDNN LSTM takes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textgen.config import PAD
from textgen.dataset.storage import ragged

Ids = np.ndarray
"""A one-dimensional array of token ids, of any integer dtype."""


class Sequences(NamedTuple):
    """Sequences of ids, or stretches of long ones, that lie on end in one array.

    Attributes:
        ids: [T].
        starts: int[S], the place of each one's first id, from which on it is context.
        firsts: int[S], the place of its first target.
        ends: int[S], the place after its last id.
    """

    ids: Ids
    starts: np.ndarray
    firsts: np.ndarray
    ends: np.ndarray


def sequences(each: Sequence[Ids]) -> Sequences:
    """Whole sequences, whose first id alone is no target.

    >>> sequences([np.array([2, 7, 3]), np.array([2, 3])])
    Sequences(ids=array([2, 7, 3, 2, 3]), starts=array([0, 3]), firsts=array([1, 4]), ends=array([3, 5]))
    """
    ends = np.cumsum([len(ids) for ids in each])
    starts = ends - [len(ids) for ids in each]
    return Sequences(np.concatenate(each), starts, starts + 1, ends)


class Targets(NamedTuple):
    """The targets of sequences, in order.

    Attributes:
        places: int[N], where each target is.
        begins: int[N], where its X begins: a window before it, or where its sequence does.
    """

    places: np.ndarray
    begins: np.ndarray


def targets(sequences: Sequences, *, window: int, stride: int) -> Targets:
    """The target places of sequences, and where their windows begin.

    >>> targets(sequences([np.array([2, 7, 8, 9, 3])]), window=2, stride=2)
    Targets(places=array([1, 3]), begins=array([0, 1]))
    """
    counts = target_counts(sequences.firsts, sequences.ends, stride=stride)
    found = ragged.indices(sequences.firsts, counts, step=stride)
    return Targets(found, np.maximum(found - window, np.repeat(sequences.starts, counts)))


class Rows(NamedTuple):
    """Targets on end, up to a window of them in a row, each after the one before it.

    Attributes:
        firsts: int[N], where each row's first target is.
        widths: int[N], how many targets it has.
        starts_document: bool [N], whether a row is the first of its sequence; then its first target has one id
            of context.
    """

    firsts: np.ndarray
    widths: np.ndarray
    starts_document: np.ndarray


def rows(sequences: Sequences, *, window: int) -> Rows:
    """The targets of sequences in rows; no row holds those of two.

    >>> found = rows(sequences([np.array([2, 7, 8, 9, 3])]), window=3)
    >>> found.firsts.tolist(), found.widths.tolist(), found.starts_document.tolist()
    ([1, 4], [3, 1], [True, False])
    """
    counts = target_counts(sequences.firsts, sequences.ends, stride=window)
    firsts = ragged.indices(sequences.firsts, counts, step=window)
    widths = np.minimum(window, np.repeat(sequences.ends, counts) - firsts)
    return Rows(firsts, widths, firsts == np.repeat(sequences.starts + 1, counts))


def target_counts(firsts: np.ndarray, ends: np.ndarray, *, stride: int) -> np.ndarray:
    """int[S], how many targets lie from each first place to its end."""
    return np.maximum(-((firsts - ends) // stride), 0)


def spans(sequences: Sequences, *, context: int, max_targets: int) -> Sequences:
    """The sequences cut so that each target is in one, with up to `context` ids before a span's first target.

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
    """Cuts windows out of ids, any of them in any order."""

    def __init__(self, ids: Ids, *, window: int):
        """`ids` are the sequences on end; `window` is W, the width of X."""
        self._ids = np.concatenate([ids, np.full(window, PAD, ids.dtype)])
        # A window is one item of W ids, which is copied at once, and the items overlap.
        item = np.dtype((np.void, window * ids.dtype.itemsize))
        self._rows = np.ndarray(len(ids) + 1, item, self._ids, strides=ids.dtype.itemsize)
        # For each width a row that has all bits where a window of that width is kept.
        self._kept = (np.tri(window + 1, window, -1, dtype=ids.dtype) * ~ids.dtype.type(0)).view(item)[:, 0]
        self._window = window

    def cut(self, targets: Targets) -> tuple[np.ndarray, Ids]:
        """The pairs at N targets: X [N, W], padded on the right with PAD, and y [N], with the dtype of the ids."""
        places, begins = targets
        return self.at(begins, places - begins), self._ids[places]

    def at(self, begins: np.ndarray, widths: np.ndarray) -> np.ndarray:
        """The ids from these N places on, so many of them: [N, W], padded on the right with PAD."""
        cut = self._rows[begins].view(self._ids.dtype)
        # What is short was read too far; PAD is 0. All are masked, which is faster than to find the short.
        cut &= self._kept.take(widths).view(self._ids.dtype)
        return cut.reshape(len(begins), self._window)
