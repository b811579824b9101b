import numpy as np
import pytest

from textgen.dataset.loading.batch_stream import ArraySpec, WorkerSlice
from textgen.dataset.loading.tf_dataset import BatchDataset
from textgen.dataset.loading.tuning import Tuning
from textgen.errors import UserError

WINDOW = 4
SMALL = Tuning(chunk_pairs=20, parallel_chunks=1)


class Counted:
    """BatchStream whose batches repeat the step; the last of an epoch is smaller. Records the chunks asked for."""

    arrays = (ArraySpec((WINDOW,), np.dtype(np.int32)), ArraySpec((), np.dtype(bool)))
    part, batch_size, drop_remainder = WorkerSlice(0, 1), 5, False
    epochs, steps_per_epoch, whole_steps, reshuffles = 2, 7, 6, False

    def __init__(self):
        self.chunks, self.released = [], 0

    def fill_batches(self, first, end, allocate):
        self.chunks.append((first, end))
        sizes = [2 if step % self.steps_per_epoch == 6 else 5 for step in range(first, end)]
        x, odd = allocate(sum(sizes))
        x[...] = np.repeat(np.arange(first, end), sizes)[:, None]
        odd[...] = x[:, 0] % 2 == 1
        return [x, odd]

    def release(self):
        self.released += 1


@pytest.fixture
def steps():
    return Counted()


def served(steps, start=0, tuning=SMALL):
    return [
        (x.tolist(), odd.tolist()) for x, odd in BatchDataset(steps, tuning=tuning).dataset(start).as_numpy_iterator()
    ]


def test_batches_are_split_out_of_chunks(steps):
    sizes = [*[5] * 6, 2] * 2
    assert served(steps) == [([[step] * WINDOW] * size, [step % 2 == 1] * size) for step, size in enumerate(sizes)]
    assert steps.chunks == [(0, 4), (4, 6), (6, 7), (7, 11), (11, 13), (13, 14)]
    assert steps.released == 1


@pytest.mark.parametrize("start", [0, 1, 5, 6, 7, 13, 14])
def test_stream_starts_at_any_step(steps, start):
    assert served(steps, start) == served(steps)[start:]
    assert len(BatchDataset(steps).dataset(start)) == 14 - start


def test_start_step_beyond_the_stream_is_an_error(steps):
    with pytest.raises(UserError, match=r"start step is 15; this stream has 14 steps\."):
        BatchDataset(steps).dataset(15)


def test_chunks_of_wide_windows_have_fewer_pairs(steps):
    served(steps, tuning=SMALL._replace(chunk_ids=10 * WINDOW))
    assert steps.chunks[:3] == [(0, 2), (2, 4), (4, 6)]
