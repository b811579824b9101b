import numpy as np
import pytest

from textgen.text.compiled.counting import count_slices, replace_numbers


def test_numbers_in_slices_are_counted() -> None:
    counts = np.array([10, 0, 0, 0])
    count_slices(np.array([0, 1, 1, 2, 1], np.int32), np.array([0, 3, 2]), np.array([2, 5, 1]), counts)
    assert counts.tolist() == [11, 2, 1, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_numbers_are_replaced_by_their_values(dtype: type) -> None:
    found = np.full(5, 9, np.uint16)
    replace_numbers(np.array([0, 2, 2], dtype), np.array([7, 5, 300], np.uint16), found)
    assert found.tolist() == [7, 300, 300, 9, 9]
