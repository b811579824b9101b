import subprocess
import sys

import numpy as np

from textgen.numba_loops import compiled, inlined


@inlined
def doubled(numbers: np.ndarray, i: int) -> int:
    return 2 * numbers[i]


def test_a_loop_fills_the_arrays_that_it_is_given() -> None:
    @compiled
    def double(numbers: np.ndarray, found: np.ndarray) -> int:
        for i in range(len(numbers)):
            found[i] = doubled(numbers, i)
        return len(numbers)

    found = np.zeros(3, np.int64)
    assert double(np.arange(3), found) == 3
    assert found.tolist() == [0, 2, 4]


def test_extensions_of_numba_are_imported_for_the_code_of_others_alone() -> None:
    script = """
import sys, numba, numpy as np
from textgen.text.compiled.counting import count_slices

count_slices(np.zeros(4, np.int32), np.array([0]), np.array([3]), counts := np.zeros(1, np.int64))
print(counts, "awkward" in sys.modules)
numba.njit(lambda: 1)()
print("awkward" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["[3]", "False", "True"]
