"""Operations on consecutive slices of an array, vectorised over the slices."""

import numpy as np

_LARGE = 1 << 15
"""Number of elements from which a compiled loop copies them."""


def indices(starts: np.ndarray, lengths: np.ndarray, *, step: int = 1) -> np.ndarray:
    """Concatenates the indices `start`, `start + step` … of each slice, `length` of them.

    >>> indices(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])

    Args:
        starts: int [N], first index of each slice.
        lengths: int [N], number of indices of each slice.
        step: distance from one index to the next.

    Returns:
        [sum of lengths], of the dtype of `starts`, which must hold that sum too.
    """
    lengths = lengths.astype(starts.dtype, copy=False)
    ends = np.cumsum(lengths, dtype=starts.dtype)
    counted = np.arange(ends[-1] if len(ends) else 0, dtype=starts.dtype)
    if step != 1:
        return np.repeat(starts - (ends - lengths) * step, lengths) + counted * step
    return np.repeat(starts - (ends - lengths), lengths) + counted


def join(source: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Concatenates slices of an array, and returns the end of each in the result.

    >>> joined, ends = join(np.array([7, 8, 9]), np.array([1, 0]), np.array([2, 1]))
    >>> joined.tolist(), ends.tolist()
    ([8, 9, 7], [2, 3])

    Args:
        source: [T] of any dtype.
        starts: int [N] or [M, K], first index of each slice, read row by row.
        lengths: of the same shape, number of elements in each slice.

    Returns:
        The joined array, and int64 [N] or [M * K], the end of each slice in it.
    """
    starts, lengths = starts.ravel(), lengths.ravel()
    ends = np.cumsum(lengths, dtype=np.int64)
    if not len(ends) or ends[-1] < _LARGE:
        return source[indices(starts, lengths)], ends
    # Imported late, since numba takes a quarter of a second.
    from textgen.dataset.storage.slice_loops import copy_slices

    joined, size = np.empty(ends[-1], source.dtype), source.dtype.itemsize
    places, counts = starts.astype(np.int64, copy=False), lengths.astype(np.int64, copy=False)
    copy_slices(np.ascontiguousarray(source).view(np.uint8), places, counts, size, joined.view(np.uint8))
    return joined, ends


def take(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Returns the value of each number, [U] and int [T] → [T]; NumPy would convert the numbers to 64 bits first."""
    from textgen.dataset.storage.slice_loops import replace_numbers

    found = np.empty(len(numbers), values.dtype)
    replace_numbers(numbers, values, found)
    return found


def take_slices(
    values: np.ndarray, starts: np.ndarray, numbers: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the slice of values of each number, and where each begins.

    Args:
        values: [V], the values of one number after another.
        starts: int64 [U + 1], start of the values of each number, and the end of the last.
        numbers: int [T].
        after: [A], of the dtype of `values`, written after them.

    Returns:
        The joined array [S + A], and int64 [T + 1], the start of each slice in it, and S.
    """
    from textgen.dataset.storage.slice_loops import find_edges, write_values

    edges = np.empty(len(numbers) + 1, np.int64)
    find_edges(numbers, starts, edges)
    found = np.empty(edges[-1] + len(after), values.dtype)
    write_values(numbers, values, starts, edges, found)
    found[edges[-1] :] = after
    return found, edges


def distinct(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct values of small non-negative integers, and the index of each number among them.

    Same as `np.unique` with `return_inverse`, without a sort: O(N + largest number).

    >>> values, which = distinct(np.array([7, 5, 7]))
    >>> values.tolist(), which.tolist()
    ([5, 7], [1, 0, 1])
    """
    seen = np.bincount(numbers) > 0
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[numbers]
