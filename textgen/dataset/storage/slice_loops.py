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
def replace_numbers(numbers: np.ndarray, values: np.ndarray, found: np.ndarray) -> None:
    """Looks numbers up; NumPy would convert them to 64 bits first.

    Args:
        numbers: int [T].
        values: int [U], the value of each number.
        found: int [at least T], receives the value of each.
    """
    for i in range(len(numbers)):
        found[i] = values[numbers[i]]
