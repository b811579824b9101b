import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from textgen.generation.sampling import Limits, sample, uniform
from textgen.model.masking import MASKED_LOGIT

LOGITS = [[0.5, -1.0, 2.0, 1.5, -3.0, 0.0]]


def _sample(
    logits, temperature: float, seed: int = 0, *, top_k: int = 0, top_p: float = 1.0, min_p: float = 0.0
) -> np.ndarray:
    rows = np.arange(len(logits))
    drawn = sample(
        tf.constant(logits, tf.float32),
        temperatures=tf.fill([len(rows)], tf.constant(temperature, tf.float32)),
        limits=Limits(*(tf.fill([len(rows)], limit) for limit in (top_k, top_p, min_p))),
        numbers=uniform(tf.fill([len(rows)], tf.constant(seed, tf.int64)), tf.constant(rows, tf.int32), rows * 0),
    )
    assert drawn.dtype == tf.int32
    return drawn.numpy()


def _forbid(logits: tf.Tensor, ids: tuple[int, ...]) -> tf.Tensor:
    return tf.where(np.isin(np.arange(logits.shape[1]), ids), MASKED_LOGIT, logits)


def _many(logits: list[float], count: int) -> np.ndarray:
    return np.tile(np.array(logits, np.float32), [count, 1])


def test_temperature_0_takes_the_likeliest_of_each_row():
    assert _sample([[1, 3, 2], [9, -9, 0], [-5, -4, -3]], 0.0).tolist() == [1, 0, 2]


@pytest.mark.parametrize("temperature", [1e-4, 1e-30])
@pytest.mark.parametrize("scale", [1.0, 1e4, -1e4])
def test_a_very_low_temperature_takes_the_likeliest_too(temperature: float, scale: float):
    logits = scale * _many(LOGITS[0], 200)
    assert set(_sample(logits, temperature)) == {int(np.argmax(logits[0]))}


@pytest.mark.parametrize("temperature", [1e9, 1e30, 3e38])
def test_at_a_very_high_temperature_every_token_is_as_likely(temperature: float):
    counts = np.bincount(_sample(_many(LOGITS[0], 6000), temperature), minlength=6)
    assert counts.min() > 850
    assert counts.max() < 1150


@pytest.mark.parametrize("temperature", [0.0, 1e-30, 1e-4, 1.0, 100.0, 1e7, 1e9, 1e30, 3e38])
def test_forbidden_tokens_are_never_drawn(temperature: float):
    logits = _forbid(tf.constant(_many([50, 50, 1, 2, 50, 3], 5000), tf.float32), (0, 1, 4))
    drawn = set(_sample(logits, temperature))
    assert drawn <= {2, 3, 5}
    if temperature >= 100:
        assert drawn == {2, 3, 5}


def test_the_same_seed_draws_the_same_and_another_draws_others():
    logits = _many(LOGITS[0], 100)
    np.testing.assert_array_equal(_sample(logits, 1.0, seed=3), _sample(logits, 1.0, seed=3))
    assert not np.array_equal(_sample(logits, 1.0, seed=3), _sample(logits, 1.0, seed=4))


def test_the_rows_of_a_batch_are_drawn_apart():
    assert len(set(_sample(_many([0.0] * 6, 100), 1.0))) == 6


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_draws_are_as_frequent_as_the_softmax_says(temperature: float):
    count = 20_000
    scaled = np.array(LOGITS[0]) / temperature
    expected = count * np.exp(scaled) / np.exp(scaled).sum()
    drawn = np.bincount(_sample(_many(LOGITS[0], count), temperature, seed=1), minlength=6)
    # Chi-square with 5 degrees of freedom is above 20.5 once in a thousand seeds.
    assert float(((drawn - expected) ** 2 / expected).sum()) < 20.5


@settings(max_examples=60, deadline=None)
@given(
    logits=arrays.arrays(np.float32, (3, 5), elements=st.floats(-1e6, 1e6, width=32)),
    temperature=st.floats(0, 3.0000000054977558e38, width=32),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_draw_is_a_token_that_is_allowed(logits: np.ndarray, temperature: float, seed: int):
    drawn = _sample(_forbid(tf.constant(logits), (1, 2)), temperature, seed)
    assert set(drawn.tolist()) <= {0, 3, 4}


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(np.float64(logits) - np.max(logits))
    return exponentials / exponentials.sum()


def _restricted(logits: np.ndarray, top_k: int, top_p: float, min_p: float) -> np.ndarray:
    """The distribution by its definition: sorted tokens, one limit after the other."""
    order = np.argsort(-logits, kind="stable")
    kept = order[: top_k or None]
    probabilities = _softmax(logits[kept])
    if top_p < 1:
        kept = kept[np.cumsum(probabilities) - probabilities < top_p]
    probabilities = _softmax(logits[kept])
    kept = kept[probabilities >= min_p * probabilities[0]]
    found = np.zeros(len(logits))
    found[kept] = _softmax(logits[kept])
    return found


@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p"),
    [(2, 1.0, 0.0), (0, 0.7, 0.0), (0, 1.0, 0.3), (3, 0.9, 0.2), (600, 0.5, 0.0), (1, 1.0, 0.0), (0, 1e-30, 0.0)],
)
def test_only_the_likeliest_are_drawn_as_often_as_they_are_by_definition(top_k: int, top_p: float, min_p: float):
    logits = np.array(LOGITS[0], np.float32)
    expected = _restricted(logits, top_k, top_p, min_p)
    counts = np.bincount(
        _sample(_many(LOGITS[0], 4000), 1.0, top_k=top_k, top_p=top_p, min_p=min_p), minlength=len(logits)
    )
    assert set(np.flatnonzero(counts)) == set(np.flatnonzero(expected))
    np.testing.assert_allclose(counts / 4000, expected, atol=0.035)


def test_a_nucleus_of_more_tokens_than_are_looked_at_first_is_found_too():
    logits = np.random.default_rng(3).normal(size=3000).astype(np.float32) * 0.1
    expected = np.flatnonzero(_restricted(logits, 0, 0.5, 0.0))
    assert len(expected) > 1000
    drawn = set(_sample(_many(logits.tolist(), 6000), 1.0, top_p=0.5).tolist())
    assert drawn <= set(expected.tolist())
    assert len(drawn) > 0.95 * len(expected)


def test_each_row_has_its_own_limits():
    drawn = sample(
        tf.constant(_many([3.0, 2.0, 1.0, 0.0], 400)),
        temperatures=tf.repeat([1.0, 1.0, 0.0, 5.0], 100),
        limits=Limits(tf.repeat([2, 0, 0, 0], 100), tf.repeat([1.0, 0.5, 1.0, 1.0], 100), tf.zeros([400])),
        numbers=tf.constant(np.random.default_rng(0).random(400)),
    ).numpy()
    assert [set(part) for part in np.split(drawn, 4)] == [{0, 1}, {0}, {0}, {0, 1, 2, 3}]


def test_a_number_depends_on_its_row_alone_and_numbers_are_uniform():
    seeds, samples, positions = (np.random.default_rng(i).integers(0, 2**31, 20_000) for i in range(3))
    numbers = uniform(tf.constant(seeds), tf.constant(samples, tf.int32), tf.constant(positions, tf.int32)).numpy()
    alone = uniform(
        tf.constant(seeds[7:8]), tf.constant(samples[7:8], tf.int32), tf.constant(positions[7:8], tf.int32)
    )
    assert numbers[7] == alone.numpy()[0]
    assert numbers.min() >= 0 and numbers.max() < 1
    assert np.abs(np.histogram(numbers, 20)[0] - 1000).max() < 130
    following = [uniform(tf.zeros([5000], tf.int64), tf.fill([5000], s), tf.range(5000)).numpy() for s in (0, 1)]
    assert abs(np.corrcoef(following[0][1:], following[0][:-1])[0, 1]) < 0.05
    assert abs(np.corrcoef(*following)[0, 1]) < 0.05


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200])
def test_a_token_of_probability_0_is_never_drawn_at_the_edges_of_blocks(size: int):
    logits = np.full([1, size], MASKED_LOGIT, np.float32)
    logits[0, -1] = 0
    for number in (0.0, 0.5, 1 - 2.0**-53):
        drawn = sample(tf.constant(logits), temperatures=tf.ones([1]), numbers=tf.constant([number], tf.float64))
        assert drawn.numpy().tolist() == [size - 1]
