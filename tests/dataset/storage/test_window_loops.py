import numpy as np
import pytest

from textgen.dataset.storage.window_loops import fill_pairs


@pytest.mark.parametrize("id_dtype", [np.uint16, np.uint32])
@pytest.mark.parametrize("dtype", [np.int32, np.uint16, np.uint32])
def test_windows_are_slices_with_padding(id_dtype, dtype):
    ids = np.array([2, 7, 8, 65_535, 3], id_dtype)
    x, y = np.full((3, 2), 9, dtype), np.full(3, 9, dtype)
    fill_pairs(ids, np.array([0, 0, 2], np.int32), np.array([1, 2, 4], np.int32), x, y)
    assert x.tolist() == [[2, 0], [2, 7], [8, 65_535]]
    assert y.tolist() == [7, 8, 3]


def test_no_pairs_fill_nothing():
    none, x, y = np.empty(0, np.int32), np.full((1, 2), 9, np.int32), np.full(1, 9, np.int32)
    fill_pairs(np.array([2, 3], np.uint16), none, none, x, y)
    assert (x.tolist(), y.tolist()) == ([[9, 9]], [9])
