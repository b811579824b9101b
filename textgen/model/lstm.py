"""Keras LSTM layers with faster CPU implementations; variables, names and checkpoints are unchanged.

On a CPU the layers run `textgen.model.kernel` in training, and `textgen.model.fused_lstm` for few rows outside of it.
They run Keras's implementation for many rows outside of training, and where XLA compiles them there, which has no
such operation; if a GPU is visible, so that cuDNN can be used; in half precision; and with settings that ours do not
support: other activations, dropout inside the layer, no bias, `unroll`. All compute the same results.
"""

from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from textgen.model import fused_lstm, kernel

_GATES = 4

_FEW_PRODUCTS = 1 << 20
"""Number of multiplications in a step of all rows up to which one operation for all steps is faster than a loop."""


def count_products(width: int, units: int) -> int:
    """Returns the number of multiplications per token in the matrix products of one LSTM.

    Each of the four gates is computed from the input and the state (Hochreiter & Schmidhuber 1997).

    Args:
        width: I, size of the input of a token.
        units: U, number of units.
    """
    return _GATES * units * (width + units)


@keras.saving.register_keras_serializable("textgen")
class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` that trains with the CPU kernel where `takes_kernel` allows it.

    A mask may hide only padding after a row's tokens, as cuDNN also requires. Outputs at padding have no meaning:
    they are 0, or repeat the last one where Keras's loop reads.
    """

    def inner_loop(
        self, sequences: tf.Tensor, initial_state: list[tf.Tensor], mask: Any, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Runs the layer over all steps; Keras calls it from `call`.

        Args:
            sequences: float [B, T, I], inputs of the layer; float32 in the CPU kernel.
            initial_state: h and c before the first step, each [B, U].
            mask: bool [B, T], False at padding; None if there is no padding.
            training: whether the layer is called in training.

        Returns:
            The last output [B, U], all outputs [B, T, U], and the last h and c, each [B, U]. As in Keras, the outputs
            of a layer with `go_backwards` are in reading order, from the last step to the first.
        """
        if sequences.shape[1] == 1 and not training and not self.unroll:
            return self._single_step(sequences[:, 0], initial_state, mask)
        if not training and has_our_formulas(self) and not _is_compiled():
            return self._outside_of_training(sequences, initial_state, mask)
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
        """Runs a single step on x [B, I] without a loop; returns the same values as `inner_loop`, with T = 1."""
        output, states = self.cell(x, initial_state, training=False)
        if mask is not None:
            real = tf.cast(tf.nest.flatten(mask)[0], tf.bool)
            states = [tf.where(real, new, old) for new, old in zip(states, initial_state, strict=True)]
            output = tf.where(real, output, tf.zeros_like(output))
        return states[0], output[:, tf.newaxis], states

    def _outside_of_training(
        self, x: tf.Tensor, initial_state: list[tf.Tensor], mask: Any
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Runs the layer by one operation for few rows, and by Keras's loop for many; see `inner_loop`."""
        inner_loop, products = super().inner_loop, count_products(x.shape[-1], self.units)

        def loop() -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
            last, outputs, states = inner_loop(x, initial_state, mask=mask, training=False)
            return last, outputs, list(states)

        def fused() -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
            found = fused_lstm.read(x, _mask(mask), _weights(self), *initial_state, backwards=self.go_backwards)
            outputs = found.outputs if self.return_sequences else found.h[:, tf.newaxis]
            return found.h, tf.reverse(outputs, [1]) if self.go_backwards else outputs, [found.h, found.c]

        if products > _FEW_PRODUCTS:
            return loop()
        rows = tf.shape(x)[0]
        # The operation's gradient of no row is whatever was in memory.
        return tf.cond((rows > 0) & (rows <= _FEW_PRODUCTS // products), fused, loop)


@keras.saving.register_keras_serializable("textgen")
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` around an `LSTM` of this module. Both directions run in parallel."""

    def call(
        self, sequences: tf.Tensor, initial_state: Any = None, mask: Any = None, training: bool | None = None
    ) -> Any:
        """Runs both directions and merges their outputs.

        Args:
            sequences: float [B, T, I], inputs of the layer; float32 in the CPU kernel.
            initial_state: h and c of the forward direction, then of the backward one, each [B, U]; None for zeros.
            mask: bool [B, T], False at padding; None if there is no padding.
            training: whether the layer is called in training.

        Returns:
            [B, T, F] if the layer returns sequences, else [B, F]; F is 2U if outputs are concatenated, else U. There
            are two outputs if `merge_mode` is None. If `return_state` is set, the last states follow, each [B, U], in
            the order of `initial_state`.
        """
        layers = [self.forward_layer, self.backward_layer]
        if self.stateful or not all(takes_kernel(layer, training=training) for layer in layers):
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        x, mask = _features_first(sequences, mask)
        if initial_state is None:
            initial = [_no_state(layer, x) for layer in layers]
        else:
            initial = [_state(initial_state[:2]), _state(initial_state[2:])]
        (left, left_state), (right, right_state) = (
            _run(layer, x, mask, state) for layer, state in zip(layers, initial, strict=True)
        )
        if not self.return_sequences:
            left, right = left_state.h, right_state.h
        output = tf.nest.map_structure(_batch_first, _merge(left, right, self.merge_mode))
        if not self.return_state:
            return output
        states = tuple(tf.transpose(state) for state in (*left_state, *right_state))
        return (*output, *states) if self.merge_mode is None else (output, *states)


def takes_kernel(layer: keras.layers.Layer, *, training: bool | None) -> bool:
    """Returns whether a call of the layer runs the CPU kernel instead of Keras's implementation."""
    return bool(training and has_our_formulas(layer))


def has_our_formulas(layer: keras.layers.Layer) -> bool:
    """Returns whether a layer is one that code of ours can compute, on a machine without a GPU."""
    return bool(
        isinstance(layer, LSTM)
        and layer.compute_dtype == layer.variable_dtype == "float32"
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and layer.use_bias
        and not (layer.dropout or layer.recurrent_dropout or layer.unroll)
        and not tf.config.list_logical_devices("GPU")
    )


def _is_compiled() -> bool:
    """Returns whether the graph that is traced will be compiled by XLA, as with `jit_compile=True`."""
    return bool(control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()))


def _mask(mask: Any) -> tf.Tensor | None:
    """Returns a mask of Keras as bool [B, T], or None."""
    (found,) = tf.nest.flatten(mask)
    return None if found is None else tf.cast(found, tf.bool)


def _weights(layer: LSTM) -> kernel.Weights:
    cell = layer.cell
    return kernel.Weights(*(tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias)))


def _features_first(sequences: tf.Tensor, mask: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Transposes [B, T, I] → [I, T, B] and a mask, bool [B, T] or None, → bool [T, B]."""
    x = tf.transpose(sequences, [2, 1, 0])
    mask = _mask(mask)
    return x, tf.ones(tf.shape(x)[1:], tf.bool) if mask is None else tf.transpose(mask)


def _batch_first(x: tf.Tensor) -> tf.Tensor:
    """Transposes [F, T, B] → [B, T, F], or [F, B] → [B, F]."""
    return tf.transpose(x)


def _state(h_and_c: Any) -> kernel.State:
    """Returns the kernel's state, each float32 [U, B], for Keras's h and c, each [B, U]."""
    return kernel.State(*(tf.transpose(tf.cast(value, tf.float32)) for value in h_and_c))


def _no_state(layer: LSTM, x: tf.Tensor) -> kernel.State:
    """Returns the zero state, each float32 [U, B], for an input x [I, T, B]."""
    # The batch size is read from x: reading it from the tensor before the transpose would keep TensorFlow from
    # removing the transposes between two layers.
    zeros = tf.zeros([layer.units, tf.shape(x)[2]])
    return kernel.State(zeros, zeros)


def _run(layer: LSTM, x: tf.Tensor, mask: tf.Tensor, state: kernel.State) -> tuple[tf.Tensor, kernel.State]:
    """Runs the kernel with a layer's weights on x [I, T, B] and mask [T, B]; see `kernel.run`."""
    outputs, last = kernel.run(x, mask, _weights(layer), state, backwards=layer.go_backwards)
    # The loops are traced once for all sizes, so their outputs have no static shapes.
    outputs.set_shape([layer.units, *x.shape[1:]])
    for value in last:
        value.set_shape([layer.units, x.shape[2]])
    return outputs, last


def _merge(left: tf.Tensor, right: tf.Tensor, mode: str | None) -> Any:
    """Merges the outputs of two directions, [U, ...] each, along the first axis, by Keras's merge mode."""
    if mode is None:
        return left, right
    if mode == "concat":
        return tf.concat([left, right], 0)
    if mode == "mul":
        return left * right
    return left + right if mode == "sum" else (left + right) / 2
