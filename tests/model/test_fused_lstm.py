import numpy as np
import pytest
import tensorflow as tf

from textgen.model.fused_lstm import read
from textgen.model.kernel import Weights

BATCH, STEPS, INPUTS, UNITS = 3, 5, 2, 4


def numbers(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.RandomState(seed).randn(*shape), tf.float32)


X = numbers(BATCH, STEPS, INPUTS)
WEIGHTS = Weights(numbers(INPUTS, 4 * UNITS, seed=1), numbers(UNITS, 4 * UNITS, seed=2), numbers(4 * UNITS, seed=3))
H, C = numbers(BATCH, UNITS, seed=4), numbers(BATCH, UNITS, seed=5)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("states", [(H, C), (None, None)])
def test_padding_changes_nothing_and_has_outputs_of_zero(
    states: tuple[tf.Tensor | None, tf.Tensor | None], backwards: bool
) -> None:
    padded = read(X, tf.sequence_mask([3, 3, 0], STEPS), WEIGHTS, *states, backwards=backwards)
    cut = read(X[:, :3], None, WEIGHTS, *states, backwards=backwards)
    np.testing.assert_array_equal(padded.outputs[:2, :3], cut.outputs[:2])
    np.testing.assert_array_equal(padded.outputs[:2, 3:], tf.zeros([2, 2, UNITS]))
    np.testing.assert_array_equal(padded.outputs[2], tf.zeros([STEPS, UNITS]))
    for found, expected, before in zip(padded[1:], cut[1:], states, strict=True):
        np.testing.assert_array_equal(found[:2], expected[:2])
        np.testing.assert_array_equal(found[2], tf.zeros([UNITS]) if before is None else before[2])


def test_rows_without_steps_keep_their_states() -> None:
    found = read(X[:, :0], None, WEIGHTS, H, C, backwards=False)
    assert found.outputs.shape == (BATCH, 0, UNITS)
    np.testing.assert_array_equal(found.h, H)
    np.testing.assert_array_equal(found.c, C)


def test_a_step_is_the_formula() -> None:
    z = X[:, 0] @ WEIGHTS.kernel + H @ WEIGHTS.recurrent + WEIGHTS.bias
    i, f, g, o = np.split(z.numpy(), 4, axis=1)
    c = C / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    found = read(X[:, :1], None, WEIGHTS, H, C, backwards=False)
    np.testing.assert_allclose(found.c, c, rtol=1e-5)
    np.testing.assert_allclose(found.h, np.tanh(c) / (1 + np.exp(-o)), rtol=1e-5)
    np.testing.assert_array_equal(found.outputs[:, 0], found.h)
