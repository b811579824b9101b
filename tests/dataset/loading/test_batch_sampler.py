import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset.loading.batch_sampler import BatchSampler
from textgen.errors import UserError


def sampler_of(pairs, weights=None, *, batch_size, drop_remainder=False, seed=1):
    return BatchSampler(
        pairs,
        weights or [1] * len(pairs),
        batch_size=batch_size,
        drop_remainder=drop_remainder,
        seed=seed,
    )


def steps_of(sampler, *, epochs=1, worker=0, workers=1):
    """For each step its (source, position)s."""
    steps = range(epochs * sampler.steps_per_epoch)
    slices = [sampler.sample(step, step + 1, worker=worker, workers=workers) for step in steps]
    return [list(zip(sampled.sources.tolist(), sampled.positions.tolist(), strict=True)) for sampled in slices]


def test_steps_of_one_source():
    served = steps_of(sampler_of([5], batch_size=2), epochs=2)
    assert [[position for _, position in step] for step in served] == [[0, 1], [2, 3], [4], [5, 6], [7, 8], [9]]
    whole = steps_of(sampler_of([5], batch_size=2, drop_remainder=True), epochs=2)
    assert [[position for _, position in step] for step in whole] == [[0, 1], [2, 3], [5, 6], [7, 8]]


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=3),
    st.lists(st.floats(0.1, 10), min_size=3, max_size=3),
    st.integers(1, 9),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_worker_slices_join_to_the_global_batch(pairs, weights, workers, drop_remainder):
    settings = {"batch_size": 50, "drop_remainder": drop_remainder}
    sampler = sampler_of([n + 50 for n in pairs], weights[: len(pairs)], **settings)
    whole = steps_of(sampler, epochs=2)
    slices = [steps_of(sampler, epochs=2, worker=worker, workers=workers) for worker in range(workers)]
    assert [sum(parts, []) for parts in zip(*slices, strict=True)] == whole
    for source in range(len(pairs)):
        positions = [position for step in whole for one, position in step if one == source]
        if len(pairs) > 1 or not drop_remainder:
            assert positions == list(range(len(positions)))
        for first in range(len(whole)):
            start, end = sampler.bounds(first, len(whole))[source]
            served = [position for step in whole[first:] for one, position in step if one == source]
            assert not served or (start, end) == (served[0], served[-1] + 1)
        assert sampler.bounds(0, None)[source][1] > max(positions) + 1


@given(st.lists(st.floats(0.05, 20), min_size=2, max_size=4), st.integers(300, 2000))
@settings(max_examples=50, deadline=None)
def test_totals_follow_the_weights_after_every_step(weights, batch_size):
    sampler = sampler_of([5000] * len(weights), weights, batch_size=batch_size)
    sums = np.zeros(len(weights))
    for step, served in enumerate(steps_of(sampler), 1):
        sums += np.bincount([source for source, _ in served], minlength=len(weights))
        expected = step * batch_size * np.array(weights) / sum(weights)
        assert abs(sums - expected).max() <= len(weights) + 0.01


def test_a_step_does_not_depend_on_the_start_step():
    sampler = sampler_of([60, 40], [2, 1], batch_size=10)
    whole = steps_of(sampler)
    sampled = sampler.sample(4, 6, worker=0, workers=1)
    assert list(zip(sampled.sources.tolist(), sampled.positions.tolist(), strict=True)) == whole[4] + whole[5]


def test_batch_smaller_than_its_sources_need_is_an_error():
    with pytest.raises(UserError, match=r"batch size is 1; with 3 datasets .* at least 6: .* Raise it"):
        sampler_of([10, 10, 10], batch_size=1)
