import pytest

from tests.dataset.loading.test_tf_dataset import WINDOW, Counted
from textgen.dataset.loading.batch_stream import WorkerSlice, steps_left, steps_per_chunk
from textgen.dataset.loading.tuning import Tuning
from textgen.errors import UserError


def test_slice_sizes_differ_by_at_most_one():
    parts = [WorkerSlice(worker, 3) for worker in range(3)]
    assert [(part.start(7), part.size(7)) for part in parts] == [(0, 2), (2, 2), (4, 3)]


def test_the_steps_left_are_those_after_the_start():
    assert [steps_left(Counted(), start) for start in (0, 5, 14)] == [14, 9, 0]
    with pytest.raises(UserError, match="start step is -1; this stream has 14 steps"):
        steps_left(Counted(), -1)


@pytest.mark.parametrize(
    ("tuning", "steps"),
    [
        (Tuning(chunk_pairs=20), 4),
        (Tuning(chunk_pairs=3), 1),
        (Tuning(chunk_pairs=20, chunk_ids=10 * WINDOW), 2),
        (Tuning(chunk_pairs=20, chunk_ids=1), 1),
    ],
)
def test_a_chunk_has_as_many_steps_as_its_pairs_and_ids_allow(tuning: Tuning, steps: int):
    assert steps_per_chunk(Counted(), tuning) == steps
