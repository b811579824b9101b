import numpy as np
import pytest
import tensorflow as tf

from textgen.model import kernel

STEPS, BATCH, INPUTS, UNITS = 5, 3, 2, 4


def _weights(seed: int = 0) -> kernel.Weights:
    random = np.random.RandomState(seed)
    return kernel.Weights(
        *(tf.constant(random.randn(*s), tf.float32) for s in ([INPUTS, 4 * UNITS], [UNITS, 4 * UNITS], [4 * UNITS]))
    )


def _read(x, mask, weights, *, backwards=False, state=None):
    state = state or kernel.State(tf.zeros([UNITS, x.shape[2]]), tf.zeros([UNITS, x.shape[2]]))
    return kernel.run(x, tf.constant(mask), weights, state, backwards=backwards)


def test_one_step_by_hand():
    def one(*z):
        return kernel.Weights(tf.zeros([1, 4]), tf.zeros([1, 4]), tf.constant(z, tf.float32))

    state = kernel.State(tf.constant([[0.5]]), tf.constant([[2.0]]))
    # Input gate open, forget gate half open: c = 0.5 · 2 + 1 · tanh(1), and the output gate shows all of it.
    outputs, last = kernel.run(tf.ones([1, 1, 1]), tf.constant([[True]]), one(40, 0, 1, 40), state, backwards=False)
    c = 1 + np.tanh(1)
    np.testing.assert_allclose(last.c, [[c]], rtol=1e-6)
    np.testing.assert_allclose(outputs, [[[np.tanh(c)]]], rtol=1e-6)
    np.testing.assert_array_equal(last.h, outputs[:, 0])


@pytest.mark.parametrize("backwards", [False, True])
def test_padding_is_as_if_it_were_not_there(backwards: bool):
    x = tf.constant(np.random.RandomState(1).randn(INPUTS, STEPS, 1), tf.float32)
    short, short_state = _read(x[:, :3], [[True]] * 3, _weights(), backwards=backwards)
    junk = tf.concat([x[:, :3], tf.fill([INPUTS, 2, 1], 1e30)], 1)
    padded, padded_state = _read(junk, [[True]] * 3 + [[False]] * 2, _weights(), backwards=backwards)
    np.testing.assert_array_equal(padded[:, :3], short)
    np.testing.assert_array_equal(padded[:, 3:], tf.zeros([UNITS, 2, 1]))
    for a, b in zip(padded_state, short_state, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("backwards", [False, True])
def test_padding_gives_and_takes_no_gradient(backwards: bool):
    x = tf.constant(np.random.RandomState(1).randn(INPUTS, STEPS, BATCH), tf.float32)
    mask = tf.sequence_mask([5, 3, 1], STEPS)
    real = tf.cast(tf.transpose(mask), tf.float32)

    def gradients(weight_of_padding: float) -> list[tf.Tensor]:
        weights = _weights()
        with tf.GradientTape() as tape:
            tape.watch([x, *weights])
            outputs, _ = _read(x, tf.transpose(mask), weights, backwards=backwards)
            loss = tf.reduce_sum(tf.sin(outputs) * (real + weight_of_padding * (1 - real)))
        return tape.gradient(loss, [x, *weights])

    clean, heavy = gradients(0.0), gradients(1e6)
    for a, b in zip(clean, heavy, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(clean[0] * (1 - real), tf.zeros_like(x))


def test_backwards_is_forwards_over_the_turned_tokens():
    x = tf.constant(np.random.RandomState(2).randn(INPUTS, STEPS, BATCH), tf.float32)
    mask = [[True] * BATCH] * STEPS
    back, back_state = _read(x, mask, _weights(), backwards=True)
    turned, turned_state = _read(tf.reverse(x, [1]), mask, _weights())
    np.testing.assert_array_equal(back, tf.reverse(turned, [1]))
    np.testing.assert_array_equal(back_state.c, turned_state.c)


def test_every_size_is_served_by_one_trace():
    for steps, batch in ((2, 1), (3, 4), (7, 2)):
        outputs, _ = _read(tf.zeros([INPUTS, steps, batch]), [[True] * batch] * steps, _weights())
        assert outputs.shape == (UNITS, steps, batch)
    for compiled in (*kernel._LOOPS.values(), *kernel._GRADIENTS.values()):
        assert compiled.experimental_get_tracing_count() <= 1
