"""LSTM layers that train fast on a CPU, and are those of Keras in all else: variables, names, checkpoints, results.

In training on a CPU they run `textgen.model.kernel`. Wherever a GPU is visible they are Keras's own, so that cuDNN
runs them; so they are outside of training, in half precision, and with settings that the kernel has not: other
activations, dropout inside of the layer, no bias, `unroll`.
"""

from typing import Any

import keras
import tensorflow as tf

from textgen.model import kernel


@keras.saving.register_keras_serializable("textgen")
class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM`. A mask may hide padding after a row's tokens only, as cuDNN too demands.

    Outputs at padding are 0.
    """

    def inner_loop(
        self, sequences: tf.Tensor, initial_state: list[tf.Tensor], mask: Any, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """float32 [B, T, I] → the last output [B, U], all outputs [B, T, U] and the states, each [B, U].

        As in Keras, the outputs of a layer that goes backwards stand in the order of reading.
        """
        if sequences.shape[1] == 1 and not training and not self.unroll:
            return self._single_step(sequences[:, 0], initial_state, mask)
        if not takes_kernel(self, training=training):
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)
        x, mask = _features_first(sequences, mask)
        outputs, (h, c) = _run(self, x, mask, _state(initial_state))
        outputs = tf.transpose(outputs, [2, 1, 0])
        if self.go_backwards:
            outputs = tf.reverse(outputs, [1])
        h, c = tf.transpose(h), tf.transpose(c)
        return h, outputs, [h, c]

    def _single_step(
        self, x: tf.Tensor, initial_state: list[tf.Tensor], mask: Any
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Reads one token per row, [B, I], without a loop; `inner_loop` says what is returned."""
        output, states = self.cell(x, initial_state, training=False)
        if mask is not None:
            real = tf.cast(tf.nest.flatten(mask)[0], tf.bool)
            states = [tf.where(real, new, old) for new, old in zip(states, initial_state, strict=True)]
            output = tf.where(real, output, tf.zeros_like(output))
        return states[0], output[:, tf.newaxis], states


@keras.saving.register_keras_serializable("textgen")
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` around an `LSTM` of this module. Both directions run at once."""

    def call(
        self, sequences: tf.Tensor, initial_state: Any = None, mask: Any = None, training: bool | None = None
    ) -> Any:
        """float [B, T, I] → [B, T, 2U] or [B, 2U] where directions are concatenated; the states too if asked for."""
        layers = [self.forward_layer, self.backward_layer]
        if self.stateful or not all(takes_kernel(layer, training=training) for layer in layers):
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        x, mask = _features_first(sequences, mask)
        if initial_state is None:
            begun = [_no_state(layer, x) for layer in layers]
        else:
            begun = [_state(initial_state[:2]), _state(initial_state[2:])]
        (left, left_state), (right, right_state) = (
            _run(layer, x, mask, state) for layer, state in zip(layers, begun, strict=True)
        )
        if not self.return_sequences:
            left, right = left_state.h, right_state.h
        output = tf.nest.map_structure(_batch_first, _merge(left, right, self.merge_mode))
        if not self.return_state:
            return output
        states = tuple(tf.transpose(state) for state in (*left_state, *right_state))
        return (*output, *states) if self.merge_mode is None else (output, *states)


def takes_kernel(layer: keras.layers.Layer, *, training: bool | None) -> bool:
    """Whether a call of that layer runs our kernel, not Keras's way."""
    return bool(
        training
        and isinstance(layer, LSTM)
        and layer.compute_dtype == layer.variable_dtype == "float32"
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and layer.use_bias
        and not (layer.dropout or layer.recurrent_dropout or layer.unroll)
        and not tf.config.list_logical_devices("GPU")
    )


def _features_first(sequences: tf.Tensor, mask: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """[B, T, I] and bool [B, T] or None → [I, T, B] and bool [T, B]."""
    x = tf.transpose(sequences, [2, 1, 0])
    mask = tf.nest.flatten(mask)[0]
    return x, tf.ones(tf.shape(x)[1:], tf.bool) if mask is None else tf.transpose(tf.cast(mask, tf.bool))


def _batch_first(x: tf.Tensor) -> tf.Tensor:
    """[F, T, B] → [B, T, F], and [F, B] → [B, F]."""
    return tf.transpose(x)


def _state(h_and_c: Any) -> kernel.State:
    """Keras's, each [B, U]."""
    return kernel.State(*(tf.transpose(tf.cast(value, tf.float32)) for value in h_and_c))


def _no_state(layer: LSTM, x: tf.Tensor) -> kernel.State:
    """Where the rows of x [I, T, B] begin."""
    # By the size of x: to ask what it was transposed from would keep TensorFlow from leaving out the transposes
    # between two layers.
    zeros = tf.zeros([layer.units, tf.shape(x)[2]])
    return kernel.State(zeros, zeros)


def _run(layer: LSTM, x: tf.Tensor, mask: tf.Tensor, state: kernel.State) -> tuple[tf.Tensor, kernel.State]:
    cell = layer.cell
    weights = kernel.Weights(*(tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias)))
    outputs, last = kernel.run(x, mask, weights, state, backwards=layer.go_backwards)
    # One trace of the loops serves every size, so they cannot tell it.
    outputs.set_shape([layer.units, *x.shape[1:]])
    for value in last:
        value.set_shape([layer.units, x.shape[2]])
    return outputs, last


def _merge(left: tf.Tensor, right: tf.Tensor, mode: str | None) -> Any:
    """Joins the features of two directions, which stand on the first axis."""
    if mode is None:
        return left, right
    if mode == "concat":
        return tf.concat([left, right], 0)
    if mode == "mul":
        return left * right
    return left + right if mode == "sum" else (left + right) / 2
