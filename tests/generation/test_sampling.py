import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from textgen.generation.draws import uniform
from textgen.generation.limits import Limits
from textgen.generation.sampling import sample
from textgen.model.masking import MASKED_LOGIT

LOGITS = [[0.5, -1.0, 2.0, 1.5, -3.0, 0.0]]


def sample_rows(
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


def many(logits: list[float], count: int) -> np.ndarray:
    return np.tile(np.array(logits, np.float32), [count, 1])


def test_temperature_0_takes_the_likeliest_of_each_row():
    assert sample_rows([[1, 3, 2], [9, -9, 0], [-5, -4, -3]], 0.0).tolist() == [1, 0, 2]


@pytest.mark.parametrize("temperature", [1e-4, 1e-30])
@pytest.mark.parametrize("scale", [1.0, 1e4, -1e4])
def test_a_very_low_temperature_takes_the_likeliest_too(temperature: float, scale: float):
    logits = scale * many(LOGITS[0], 200)
    assert set(sample_rows(logits, temperature)) == {int(np.argmax(logits[0]))}


@pytest.mark.parametrize("temperature", [1e9, 1e30, 3e38])
def test_at_a_very_high_temperature_every_token_is_as_likely(temperature: float):
    counts = np.bincount(sample_rows(many(LOGITS[0], 6000), temperature), minlength=6)
    assert counts.min() > 850
    assert counts.max() < 1150


@pytest.mark.parametrize("temperature", [0.0, 1e-30, 1e-4, 1.0, 100.0, 1e7, 1e9, 1e30, 3e38])
def test_forbidden_tokens_are_never_drawn(temperature: float):
    logits = _forbid(tf.constant(many([50, 50, 1, 2, 50, 3], 5000), tf.float32), (0, 1, 4))
    drawn = set(sample_rows(logits, temperature))
    assert drawn <= {2, 3, 5}
    if temperature >= 100:
        assert drawn == {2, 3, 5}


def test_the_same_seed_draws_the_same_and_another_draws_others():
    logits = many(LOGITS[0], 100)
    np.testing.assert_array_equal(sample_rows(logits, 1.0, seed=3), sample_rows(logits, 1.0, seed=3))
    assert not np.array_equal(sample_rows(logits, 1.0, seed=3), sample_rows(logits, 1.0, seed=4))


def test_the_rows_of_a_batch_are_drawn_apart():
    assert len(set(sample_rows(many([0.0] * 6, 100), 1.0))) == 6


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_draws_are_as_frequent_as_the_softmax_says(temperature: float):
    count = 20_000
    scaled = np.array(LOGITS[0]) / temperature
    expected = count * np.exp(scaled) / np.exp(scaled).sum()
    drawn = np.bincount(sample_rows(many(LOGITS[0], count), temperature, seed=1), minlength=6)
    # Chi-square with 5 degrees of freedom is above 20.5 once in a thousand seeds.
    assert float(((drawn - expected) ** 2 / expected).sum()) < 20.5


@settings(max_examples=60, deadline=None)
@given(
    logits=arrays.arrays(np.float32, (3, 5), elements=st.floats(-1e6, 1e6, width=32)),
    temperature=st.floats(0, 3.0000000054977558e38, width=32),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_draw_is_a_token_that_is_allowed(logits: np.ndarray, temperature: float, seed: int):
    drawn = sample_rows(_forbid(tf.constant(logits), (1, 2)), temperature, seed)
    assert set(drawn.tolist()) <= {0, 3, 4}


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200])
def test_a_token_of_probability_0_is_never_drawn_at_the_edges_of_blocks(size: int):
    logits = np.full([1, size], MASKED_LOGIT, np.float32)
    logits[0, -1] = 0
    for number in (0.0, 0.5, 1 - 2.0**-53):
        drawn = sample(tf.constant(logits), temperatures=tf.ones([1]), numbers=tf.constant([number], tf.float64))
        assert drawn.numpy().tolist() == [size - 1]
