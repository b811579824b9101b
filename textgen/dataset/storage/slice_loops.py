"""Compiled loops over slices and elements of an array."""

import numpy as np

from textgen.numba_loops import compiled


@compiled
def copy_slices(source: np.ndarray, starts: np.ndarray, lengths: np.ndarray, size: int, joined: np.ndarray) -> None:
    """Copies slices, whose starts and lengths count elements of `size` bytes.

    Args:
        source: uint8 [S], the bytes of an array.
        starts: int64 [N], first element of each slice.
        lengths: int64 [N], number of elements of each.
        size: bytes of an element.
        joined: uint8 [T], receives the bytes of all slices, one after another.
    """
    offset = np.uint64(0)
    for n in range(len(starts)):
        # Unsigned, see `word_at` in `textgen.numba_loops`.
        begin, count = np.uint64(starts[n] * size), np.uint64(lengths[n] * size)
        for i in range(count):
            joined[offset + i] = source[begin + i]
        offset += count


@compiled
def count_in_slices(numbers: np.ndarray, starts: np.ndarray, ends: np.ndarray, wanted: int) -> int:
    """Returns how often a number occurs in slices.

    Args:
        numbers: int [T].
        starts: int [N], start of each slice in `numbers`.
        ends: int [N], its end.
        wanted: the number.
    """
    count = 0
    for n in range(len(starts)):
        for i in range(starts[n], ends[n]):
            count += numbers[i] == wanted
    return count


@compiled
def find_edges(numbers: np.ndarray, starts: np.ndarray, edges: np.ndarray) -> None:
    """Finds where the values of each number begin when they are written one after another.

    Args:
        numbers: int [T].
        starts: int64 [U + 1], start of the values of each number, and the end of the last.
        edges: int64 [T + 1], receives the starts, and the end of the last.
    """
    edges[0] = 0
    for t in range(len(numbers)):
        number = np.uint64(numbers[t])
        edges[t + 1] = edges[t] + starts[number + np.uint64(1)] - starts[number]


@compiled
def write_values(
    numbers: np.ndarray, values: np.ndarray, starts: np.ndarray, edges: np.ndarray, found: np.ndarray
) -> None:
    """Writes the values of each number.

    Args:
        numbers: int [T].
        values: int [V], the values of one number after another.
        starts: int64 [U + 1]; see `find_edges`.
        edges: int64 [T + 1]; see `find_edges`.
        found: int [at least edges[T]], receives the values.
    """
    for t in range(len(numbers)):
        # Unsigned, see `word_at` in `textgen.numba_loops`.
        begin, target = np.uint64(starts[np.uint64(numbers[t])]), np.uint64(edges[t])
        for i in range(np.uint64(edges[t + 1]) - target):
            found[target + i] = values[begin + i]


@compiled
def replace_numbers(numbers: np.ndarray, values: np.ndarray, found: np.ndarray) -> None:
    """Looks numbers up; NumPy would convert them to 64 bits first.

    Args:
        numbers: int [T].
        values: int [U], the value of each number.
        found: int [at least T], receives the value of each.
    """
    for i in range(len(numbers)):
        found[i] = values[numbers[i]]
