import numpy as np

from textgen.dataset.storage.slice_copies import copy_slices


def test_slices_are_copied_one_after_another() -> None:
    source, joined = np.arange(10, dtype=np.uint16), np.zeros(5, np.uint16)
    copy_slices(source.view(np.uint8), np.array([7, 0, 2]), np.array([2, 0, 3]), 2, joined.view(np.uint8))
    assert joined.tolist() == [7, 8, 2, 3, 4]
