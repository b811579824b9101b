import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from textgen.generation.sampling import forbid, sample

LOGITS = [[0.5, -1.0, 2.0, 1.5, -3.0, 0.0]]


def _sample(logits, temperature: float, seed: int = 0) -> np.ndarray:
    drawn = sample(
        tf.constant(logits, tf.float32),
        temperature=tf.constant(temperature, tf.float32),
        seed=tf.constant([seed, 0]),
    )
    assert drawn.dtype == tf.int32
    return drawn.numpy()


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
    logits = forbid(tf.constant(_many([50, 50, 1, 2, 50, 3], 5000), tf.float32), (0, 1, 4))
    drawn = set(_sample(logits, temperature))
    assert drawn <= {2, 3, 5}
    if temperature >= 100:
        assert drawn == {2, 3, 5}


def test_forbid_leaves_the_others_as_they_are():
    allowed = forbid(tf.constant(LOGITS), (0, 3)).numpy()[0]
    assert allowed[[1, 2, 4, 5]].tolist() == [-1.0, 2.0, -3.0, 0.0]
    assert np.isfinite(allowed).all()
    assert allowed[[0, 3]].max() < -1e6


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
    drawn = _sample(forbid(tf.constant(logits), (1, 2)), temperature, seed)
    assert set(drawn.tolist()) <= {0, 3, 4}
