import numpy as np

from textgen.text.compiled.growing_array import GrowingArray


def test_a_view_stays_as_it_is_when_elements_are_added() -> None:
    array = GrowingArray(np.int64, [1, 2])
    before = array.view()
    for start in range(0, 5000, 500):
        array.extend(np.arange(start, start + 500))
    assert before.tolist() == [1, 2]
    assert array.view().tolist() == [1, 2, *range(5000)]
    assert (len(array), array.view().dtype) == (5002, np.int64)
