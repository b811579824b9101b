"""Slices of one array laid on end, without a Python loop over them."""

import numpy as np


def places(starts: np.ndarray, lengths: np.ndarray, *, step: int = 1) -> np.ndarray:
    """For each slice the places `start`, `start + step` …, `length` of them, on end.

    >>> places(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])

    Args:
        starts: int[N].
        lengths: int[N].
        step: from one place to the next.

    Returns:
        [sum of lengths], of the dtype of `starts`, which has to hold that sum too.
    """
    lengths = lengths.astype(starts.dtype, copy=False)
    ends = np.cumsum(lengths, dtype=starts.dtype)
    counted = np.arange(ends[-1] if len(ends) else 0, dtype=starts.dtype)
    if step != 1:
        return np.repeat(starts - (ends - lengths) * step, lengths) + counted * step
    return np.repeat(starts - (ends - lengths), lengths) + counted


def join(source: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slices of `source` on end, and where each of them ends.

    >>> joined, ends = join(np.array([7, 8, 9]), np.array([1, 0]), np.array([2, 1]))
    >>> joined.tolist(), ends.tolist()
    ([8, 9, 7], [2, 3])

    Args:
        source: [T] of any dtype.
        starts: int[N] or [M, K], read row by row.
        lengths: of the same shape.

    Returns:
        The joined array, and int64 [N] or [M * K].
    """
    starts, lengths = starts.ravel(), lengths.ravel()
    return source[places(starts, lengths)], np.cumsum(lengths)


def distinct(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct ones of small numbers, rising, and for each number its place among them.

    As `np.unique` gives them, without its sorting.

    >>> values, which = distinct(np.array([7, 5, 7]))
    >>> values.tolist(), which.tolist()
    ([5, 7], [1, 0, 1])
    """
    seen = np.bincount(numbers) > 0
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[numbers]
