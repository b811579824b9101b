import numpy as np
import pytest

from textgen.dataset.storage.slice_loops import copy_slices, count_in_slices, replace_numbers


def test_slices_are_copied_one_after_another() -> None:
    source, joined = np.arange(10, dtype=np.uint16), np.zeros(5, np.uint16)
    copy_slices(source.view(np.uint8), np.array([7, 0, 2]), np.array([2, 0, 3]), 2, joined.view(np.uint8))
    assert joined.tolist() == [7, 8, 2, 3, 4]


def test_a_number_is_counted_in_slices() -> None:
    numbers = np.array([1, 1, 4, 1, 1], np.uint16)
    assert count_in_slices(numbers, np.array([1, 4, 3]), np.array([4, 4, 5]), 1) == 4


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_numbers_are_replaced_by_their_values(dtype: type) -> None:
    found = np.full(5, 9, np.uint16)
    replace_numbers(np.array([0, 2, 2], dtype), np.array([7, 5, 300], np.uint16), found)
    assert found.tolist() == [7, 300, 300, 9, 9]
