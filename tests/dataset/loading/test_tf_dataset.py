import numpy as np
import pytest

from textgen.dataset.loading import tf_dataset
from textgen.dataset.loading.tf_dataset import ArraySpec, BatchDataset, WorkerSlice
from textgen.errors import UserError

WINDOW = 4


class Counted:
    """BatchStream of the numbers from 0 on, the last of an epoch with fewer; remembers what was asked for."""

    arrays = (ArraySpec((WINDOW,), np.dtype(np.int32)), ArraySpec((), np.dtype(bool)))
    part, batch_size, drop_remainder = WorkerSlice(0, 1), 5, False
    epochs, steps_per_epoch, whole_steps = 2, 7, 6

    def __init__(self):
        self.chunks, self.released = [], 0

    def cut(self, first, end, empty):
        self.chunks.append((first, end))
        sizes = [2 if step % self.steps_per_epoch == 6 else 5 for step in range(first, end)]
        x, odd = empty(sum(sizes))
        x[...] = np.repeat(np.arange(first, end), sizes)[:, None]
        odd[...] = x[:, 0] % 2 == 1
        return [x, odd]

    def release(self):
        self.released += 1


@pytest.fixture
def steps(monkeypatch):
    monkeypatch.setattr(tf_dataset, "_PARALLEL_CHUNKS", 1)
    monkeypatch.setattr(tf_dataset, "_CHUNK_PAIRS", 20)
    return Counted()


def served(steps, start=0):
    return [(x.tolist(), odd.tolist()) for x, odd in BatchDataset(steps).dataset(start).as_numpy_iterator()]


def test_a_stream_serves_its_steps_one_by_one(steps):
    sizes = [*[5] * 6, 2] * 2
    assert served(steps) == [([[step] * WINDOW] * size, [step % 2 == 1] * size) for step, size in enumerate(sizes)]
    assert steps.chunks == [(0, 4), (4, 6), (6, 7), (7, 11), (11, 13), (13, 14)]
    assert steps.released == 1


@pytest.mark.parametrize("start", [0, 1, 5, 6, 7, 13, 14])
def test_a_stream_begins_at_any_step(steps, start):
    assert served(steps, start) == served(steps)[start:]
    assert len(BatchDataset(steps).dataset(start)) == 14 - start


def test_a_step_that_is_none_is_an_error(steps):
    with pytest.raises(UserError, match=r"start step is 15; this stream has 14 steps\."):
        BatchDataset(steps).dataset(15)


def test_chunks_of_wide_windows_have_fewer_pairs(steps, monkeypatch):
    monkeypatch.setattr(tf_dataset, "_CHUNK_IDS", 10 * WINDOW)
    served(steps)
    assert steps.chunks[:3] == [(0, 2), (2, 4), (4, 6)]


def test_slices_are_as_equal_as_can_be():
    parts = [WorkerSlice(worker, 3) for worker in range(3)]
    assert [(part.begin(7), part.size(7)) for part in parts] == [(0, 2), (2, 2), (4, 3)]
