import threading

import numpy as np

from textgen.text.compiled.reused_arrays import ReusedArrays


def test_an_array_is_used_again_until_a_larger_one_is_needed() -> None:
    arrays = ReusedArrays()
    first = arrays.get("keys", 5, np.uint64)
    assert first.shape == (5,) and first.dtype == np.uint64
    assert np.shares_memory(first, arrays.get("keys", 8, np.uint64))
    assert not np.shares_memory(first, arrays.get("keys", 9, np.uint64))
    assert arrays.get("sizes", 0, np.int32).shape == (0,)


def test_each_thread_has_its_own() -> None:
    arrays, found = ReusedArrays(), []
    thread = threading.Thread(target=lambda: found.append(arrays.get("keys", 5, np.uint64)))
    thread.start()
    thread.join()
    assert not np.shares_memory(found[0], arrays.get("keys", 5, np.uint64))
