import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from textgen.dataset import numpy_pairs, numpy_sequences, read_pairs, read_sequences
from textgen.errors import UserError

UNITS = [{"train": [list(range(4, 34)), [40]]}, {"train": [list(range(50, 62))]}]


@pytest.fixture
def folder(build_dataset, tmp_path) -> Path:
    return build_dataset(tmp_path / "data", UNITS, layout="spans", window=3, block_pairs=8)


def _listed(batches) -> list:
    return [[array.tolist() for array in batch] for batch in batches]


OPTIONS = (
    {},
    {"seed": 3},
    {"seed": 3, "epochs": 3, "start_step": 2},
    {"seed": 1, "worker": 1, "workers": 3, "epochs": 2},
    {"worker": 6, "workers": 7},
    {"compact": True, "fraction": 0.5, "window": 2},
)


@pytest.mark.parametrize(
    "options",
    [*OPTIONS, {"seed": 1, "drop_remainder": True, "epochs": 2}, *({"batch_size": 1000, **each} for each in OPTIONS)],
)
def test_the_batches_are_those_of_read_pairs(folder: Path, options: dict):
    stream = {"batch_size": 7, **options}
    served, expected = numpy_pairs(folder, **stream), read_pairs(folder, **stream)
    assert len(served) == len(expected)
    for _ in range(2):
        of_numpy, of_tensorflow = list(served), list(expected.as_numpy_iterator())
        assert _listed(of_numpy) == _listed(of_tensorflow)
        assert [array.dtype for array in of_numpy[0]] == [array.dtype for array in of_tensorflow[0]]


def test_datasets_are_mixed_as_by_read_pairs(folder: Path, build_dataset, tmp_path: Path):
    other = build_dataset(
        tmp_path / "other", [{"train": [list(range(4, 25))]}], layout="spans", window=3, block_pairs=8
    )
    options = {"batch_size": 5, "seed": 0, "epochs": 2}
    mixture = {folder: 3.0, other: 1.0}
    assert _listed(numpy_pairs(mixture, **options)) == _listed(read_pairs(mixture, **options).as_numpy_iterator())


@pytest.mark.parametrize("options", [{"seed": 2}, {"stateful": True}, {"stateful": True, "seed": 1, "restarts": 0.3}])
def test_the_batches_are_those_of_read_sequences(folder: Path, options: dict):
    stream = {"batch_size": 3, "epochs": 2, **options}
    assert _listed(numpy_sequences(folder, **stream)) == _listed(read_sequences(folder, **stream).as_numpy_iterator())


def test_a_stream_without_end_is_left_at_any_batch(folder: Path):
    served = numpy_pairs(folder, batch_size=7, seed=0, epochs=None)
    with pytest.raises(TypeError, match="infinite"):
        len(served)
    expected = _listed(numpy_pairs(folder, batch_size=7, seed=0, epochs=20))
    batches = iter(served)
    assert _listed(next(batches) for _ in range(100)) == expected[:100]
    batches.close()


def test_a_batch_is_the_callers(folder: Path):
    (x, y), *others = numpy_pairs(folder, batch_size=7)
    before = _listed(others)
    x[:], y[:] = -1, -1
    assert _listed(others) == before
    assert np.all(x == -1)


def test_a_damaged_shard_is_told(folder: Path):
    shard = next(iter(sorted(folder.glob("train-*"))))
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(UserError, match="train-"):
        list(numpy_pairs(folder, batch_size=7))


def test_what_is_not_allowed_is_refused_as_by_read_pairs(folder: Path):
    with pytest.raises(UserError, match="start step is 99; this stream has 7 steps"):
        numpy_pairs(folder, batch_size=7, start_step=99)
    with pytest.raises(TypeError, match="batch"):
        numpy_pairs(folder, batch=7)


def test_tensorflow_is_not_imported(folder: Path):
    code = (
        "import sys, textgen\n"
        f"batches = list(textgen.numpy_pairs({str(folder)!r}, batch_size=7, seed=0))\n"
        "print(len(batches), 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["7", "False"], done.stderr
