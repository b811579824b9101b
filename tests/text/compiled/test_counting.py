import numpy as np

from textgen.text.compiled.counting import count_slices


def test_numbers_in_slices_are_counted() -> None:
    counts = np.array([10, 0, 0, 0])
    count_slices(np.array([0, 1, 1, 2, 1], np.int32), np.array([0, 3, 2]), np.array([2, 5, 1]), counts)
    assert counts.tolist() == [11, 2, 1, 0]
