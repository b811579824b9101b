"""Which (X, y) pairs a sequence of ids holds; both layouts ask here.

A document of n tokens is d = [BOS] t1 … tn [EOS]. Every position p ≥ 1 is a target once: y = d[p] and
X = d[max(0, p-W) : p]. X is never empty, and n tokens give n + 1 pairs. X is padded on the right, which is the
only side that the cuDNN LSTM takes.
"""

from typing import NamedTuple

import numpy as np

from textgen.config import BOS, EOS, PAD

Ids = np.ndarray
"""A one-dimensional array of token ids, of any integer dtype."""


def mark(ids: Ids, *, begin: bool, end: bool) -> Ids:
    """t1 … tn → [BOS] t1 … tn [EOS], or with one of them, or with none.

    >>> mark(np.array([7, 8]), begin=True, end=True).tolist()
    [2, 7, 8, 3]
    """
    before, after = [BOS] * begin, [EOS] * end
    return np.concatenate([np.array(before, ids.dtype), ids, np.array(after, ids.dtype)])


def targets(length: int, *, stride: int, first: int = 1) -> Ids:
    """The target positions of a sequence of `length` ids, of which those before `first` are context only.

    >>> targets(6, stride=2)
    array([1, 3, 5])
    """
    return np.arange(first, length, stride)


def starts(targets: Ids, *, window: int) -> Ids:
    """Where the X of each target starts: `window` ids before it, or the sequence's start.

    >>> starts(np.array([1, 3, 5]), window=3)
    array([0, 0, 2])
    """
    return np.maximum(targets - window, 0)


class Span(NamedTuple):
    """A stretch of a sequence: ids `start` to `end`, of which those from `first` on are targets."""

    start: int
    first: int
    end: int


def spans(length: int, *, context: int, most_targets: int) -> list[Span]:
    """A sequence cut so that each target is in one span, with up to `context` ids before a span's first target.

    >>> spans(6, context=2, most_targets=3)
    [Span(start=0, first=1, end=4), Span(start=2, first=4, end=6)]
    """
    firsts = range(1, length, most_targets)
    return [Span(max(0, first - context), first, min(first + most_targets, length)) for first in firsts]


def cut(ids: Ids, sequence_starts: Ids, targets: Ids, *, window: int) -> tuple[np.ndarray, Ids]:
    """The pairs of several sequences that lie on end in one array.

    Args:
        ids: [T], the sequences on end.
        sequence_starts: [N], for each target the place in `ids` where its sequence starts.
        targets: [N], places in `ids`.
        window: W, the width of X.

    Returns:
        X [N, W], padded on the right with PAD, and y [N], both with the dtype of `ids`.
    """
    begins = np.maximum(targets - window, sequence_starts)
    padded = np.concatenate([ids, np.full(window, PAD, ids.dtype)])
    x = np.lib.stride_tricks.sliding_window_view(padded, window)[begins]
    widths = targets - begins
    short = np.flatnonzero(widths < window)
    # A short window was read past its target.
    x[short] = np.where(np.arange(window) < widths[short, None], x[short], PAD)
    return x, ids[targets]
