"""Counts numbers in slices of an array, by a compiled loop."""

import numpy as np

from textgen.numba_loops import compiled


@compiled
def count_slices(numbers: np.ndarray, starts: np.ndarray, ends: np.ndarray, counts: np.ndarray) -> None:
    """Adds the occurrences of each number in slices of an array.

    Args:
        numbers: int [T].
        starts: int [N], start of each slice in `numbers`.
        ends: int [N], its end; no number is counted if it is not above the start.
        counts: int64 [U], for each number, to which its occurrences are added.
    """
    for n in range(len(starts)):
        for i in range(starts[n], ends[n]):
            counts[numbers[i]] += 1
