"""Datasets of PyTorch, with a stand-in for the parts of PyTorch that they use."""

import copy
import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from textgen.dataset import read_pairs, read_sequences, torch_pairs, torch_sequences
from textgen.dataset.loading import pytorch
from textgen.errors import UserError

UNITS = [{"train": [list(range(4, 34)), [40]]}, {"train": [list(range(50, 62))]}]
BATCH = 7


@pytest.fixture
def folder(build_dataset, tmp_path):
    return build_dataset(tmp_path / "data", UNITS, layout="spans", window=3, block_pairs=8)


@pytest.fixture(autouse=True)
def torch(monkeypatch):
    """A module `torch.utils.data` of which the current worker can be set."""
    data = ModuleType("torch.utils.data")
    data.IterableDataset = type("IterableDataset", (), {})
    data.worker = None
    data.get_worker_info = lambda: data.worker
    for name in ("torch", "torch.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "torch.utils.data", data)
    pytorch._dataset_class.cache_clear()
    yield data
    pytorch._dataset_class.cache_clear()


def load(torch, batches, workers, *, base=100, copies=None):
    """The batches in the order of a `DataLoader`, whose worker processes have copies of the dataset."""
    copies = copies or [pickle.loads(pickle.dumps(batches)) for _ in range(workers)]
    iterators = []
    for index, copied in enumerate(copies):
        torch.worker = SimpleNamespace(id=index, num_workers=workers, seed=base + index)
        iterators.append(iter(copied))
    torch.worker = None
    served = []
    while iterators:
        for iterator in list(iterators):
            batch = next(iterator, None)
            if batch is None:
                iterators.remove(iterator)
            else:
                served.append([array.tolist() for array in batch])
    return served


def expected(stream):
    return [[array.tolist() for array in batch] for batch in stream.as_numpy_iterator()]


@pytest.mark.parametrize("workers", [0, 1, 2, 3, 20])
@pytest.mark.parametrize("options", [{}, {"seed": 1, "epochs": 2, "start_step": 3}, {"drop_remainder": True}])
def test_any_number_of_workers_serves_each_batch_once_and_in_order(torch, folder, workers, options):
    batches = torch_pairs(folder, batch_size=BATCH, **options)
    whole = expected(read_pairs(folder, batch_size=BATCH, **options))
    if workers:
        assert load(torch, batches, workers) == whole
    else:
        assert [[array.tolist() for array in batch] for batch in batches] == whole
    assert len(batches) == len(whole)


@pytest.mark.parametrize("options", [{"seed": 1}, {"stateful": True}])
def test_rows_are_served_as_read_sequences_serves_them(torch, folder, options):
    batches = torch_sequences(folder, batch_size=2, **options)
    assert load(torch, batches, 2) == expected(read_sequences(folder, batch_size=2, **options))


def test_batches_have_the_dtypes_of_read_pairs(folder):
    x, y = next(iter(torch_pairs(folder, batch_size=BATCH)))
    assert (x.dtype, y.dtype, x.shape, y.shape) == (np.int32, np.int32, (BATCH, 3), (BATCH,))


def test_each_iteration_has_the_order_of_the_next_epoch(torch, folder):
    whole = expected(read_pairs(folder, batch_size=BATCH, seed=1, epochs=3))
    for workers in (0, 1, 3):
        batches = torch_pairs(folder, batch_size=BATCH, seed=1)
        served = []
        for base in range(3):
            if workers:
                served += load(torch, batches, workers, base=100 * base)
            else:
                served += [[array.tolist() for array in batch] for batch in batches]
        assert served == whole


def test_workers_that_live_on_count_their_iterations(torch, folder):
    batches = torch_pairs(folder, batch_size=BATCH, seed=1)
    copies = [pickle.loads(pickle.dumps(batches)) for _ in range(2)]
    served = [batch for _ in range(2) for batch in load(torch, batches, 2, copies=copies)]
    assert served == expected(read_pairs(folder, batch_size=BATCH, seed=1, epochs=2))


def test_a_worker_of_an_earlier_iteration_keeps_its_order(torch, folder):
    batches = torch_pairs(folder, batch_size=BATCH, seed=1)
    first, second = load(torch, batches, 2, base=5), load(torch, batches, 2, base=50)
    assert first != second
    assert load(torch, batches, 2, base=5) == first


def test_a_stream_without_end_has_no_length(torch, folder):
    batches = torch_pairs(folder, batch_size=BATCH, seed=1, epochs=None)
    with pytest.raises(TypeError, match="infinite"):
        len(batches)
    whole = expected(read_pairs(folder, batch_size=BATCH, seed=1, epochs=3))
    served = [[array.tolist() for array in batch] for batch, _ in zip(batches, whole, strict=False)]
    assert served == whole


def test_the_folder_of_numbers_is_removed_with_the_dataset(folder):
    batches = torch_pairs(folder, batch_size=BATCH, seed=1)
    numbers = Path(batches._numbers._folder)
    assert numbers.is_dir()
    next(iter(copy.copy(batches)))
    del batches
    assert not numbers.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, r"batch size is 0; it must be at least 1\."),
        ({"batch_size": 7, "start_step": 99}, r"start step is 99; this stream has 7 steps\."),
        ({"batch_size": 7, "start_step": -1}, r"start step is -1; this stream has 7 steps\."),
        ({"batch_size": 7, "window": 999}, r"window is 999"),
    ],
)
def test_a_bad_argument_is_an_error_when_the_dataset_is_made(folder, options, message):
    with pytest.raises(UserError, match=message):
        torch_pairs(folder, **options)


def test_an_unknown_argument_is_a_type_error(folder):
    with pytest.raises(TypeError, match="shuffled"):
        torch_pairs(folder, batch_size=3, shuffled=True)


def test_without_pytorch_an_error_says_what_to_install(torch, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.data", None)
    with pytest.raises(UserError, match=r"PyTorch cannot be imported.*pip install torch"):
        torch_pairs(folder, batch_size=1)
