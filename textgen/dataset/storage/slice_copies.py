"""A compiled loop that copies slices of an array one after another."""

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
    place = 0
    for n in range(len(starts)):
        begin, count = starts[n] * size, lengths[n] * size
        for i in range(count):
            joined[place + i] = source[begin + i]
        place += count
