import importlib
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from textgen import numba_loops
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


@pytest.mark.parametrize("kept", [b"", b"damaged", "another version"])
def test_what_is_kept_of_a_loop_may_be_damaged_or_of_another_version(tmp_path: Path, monkeypatch, kept) -> None:
    name = f"loops_{len(kept)}"
    path = tmp_path / f"{name}.py"
    path.write_text(
        "from typing import NamedTuple\nimport numpy as np\nfrom textgen.numba_loops import compiled\n"
        "class Old(NamedTuple):\n    numbers: np.ndarray\n"
        "@compiled\ndef count(of):\n    return len(of.numbers)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    loops = importlib.import_module(name)
    assert loops.count(loops.Old(np.arange(3))) == 3
    (index,) = (tmp_path / "__pycache__").glob("*.nbi")
    if isinstance(kept, bytes):
        index.write_bytes(kept)
    path.write_text(path.read_text().replace("Old", "Newer"))
    del sys.modules[name]
    importlib.invalidate_caches()
    loops = importlib.import_module(name)
    assert loops.count(loops.Newer(np.arange(4))) == 4


def test_a_loop_is_compiled_where_no_folder_can_be_written(monkeypatch) -> None:
    make = numba.njit

    def without_cache(*, cache: bool = False, **options: bool) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return make(**options)

    monkeypatch.setattr(numba_loops.numba, "njit", without_cache)
    count = numba_loops.compiled(lambda numbers: len(numbers))
    monkeypatch.undo()
    assert count(np.arange(3)) == 3


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
