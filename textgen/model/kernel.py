"""One direction of an LSTM on a CPU: two compiled loops for the recurrence, and large matrix products for the rest.

Keras runs an LSTM on a CPU as a loop of about thirty small TensorFlow ops per step, and as many for its gradient.
Here a step is one product with the recurrent kernel, followed by the gates, and XLA compiles each loop into one
program. The products with the kernel and all weight gradients are computed outside the loops, over all steps at once.

Tensors have the features first and the batch last, [F, T, B]: each gate of a step is contiguous in memory, and the
large products need no transposed copies. Tensors that only the loops read have the steps first, [T, F, B].

The formulas are those of `keras.layers.LSTM` (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al.
2000), gates in the order input, forget, candidate, output:

    i, f, o = σ(z), g = tanh(z), z = Wᵀx + Uᵀh' + b;  c = f c' + i g;  h = o tanh(c)

At a masked step i = o = 0 and f = 1: c is unchanged to the last bit, the output is 0, and no gradient flows from it.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla

Tensors: TypeAlias = tuple[tf.Tensor, ...]


class Weights(NamedTuple):
    """Weights of one direction, float32, in Keras's layout.

    Attributes:
        kernel: [I, 4U].
        recurrent: recurrent kernel, [U, 4U].
        bias: [4U].
    """

    kernel: tf.Tensor
    recurrent: tf.Tensor
    bias: tf.Tensor


class State(NamedTuple):
    """Output h and cell state c at one step, each float32 [U, B]."""

    h: tf.Tensor
    c: tf.Tensor


def run(x: tf.Tensor, mask: tf.Tensor, weights: Weights, state: State, *, backwards: bool) -> tuple[tf.Tensor, State]:
    """Runs an LSTM over x in one direction; differentiable with respect to x, the weights and the state.

    Args:
        x: float32 [I, T, B].
        mask: bool [T, B], False at padding, which may only follow a row's tokens.
        weights: weights of the direction.
        state: state before the first token that is read.
        backwards: whether to read from the last token of a row to its first.

    Returns:
        The outputs, float32 [U, T, B], each at the index of its token and 0 at padding; and the state after the last
        token that is read.
    """

    @tf.custom_gradient
    def differentiable(*inputs: tf.Tensor) -> tuple[Tensors, Callable[..., Tensors]]:
        # Without stop_gradient, an eager tape would also differentiate the loops.
        x, kernel, recurrent, bias, h, c = (tf.stop_gradient(value) for value in inputs)
        wide = _flat(x)
        z = tf.matmul(kernel, wide, transpose_a=True)
        z = tf.reshape(z, tf.concat([tf.shape(z)[:1], tf.shape(x)[1:]], 0))
        outputs, last_h, last_c, cells, gates = _LOOPS[backwards](z, mask, recurrent, bias, h, c)

        def gradient(d_outputs: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor) -> Tensors:
            dz, d_h, d_c = _GRADIENTS[backwards](d_outputs, d_h, d_c, mask, recurrent, c, cells, gates)
            dz = _flat(dz)
            d_x = tf.reshape(tf.matmul(kernel, dz), tf.shape(x))
            d_kernel = tf.matmul(wide, dz, transpose_b=True)
            d_recurrent = tf.matmul(_flat(_before(outputs, mask, h, backwards)), dz, transpose_b=True)
            return d_x, d_kernel, d_recurrent, tf.reduce_sum(dz, 1), d_h, d_c

        return (outputs, last_h, last_c), gradient

    outputs, h, c = differentiable(x, *weights, *state)
    return outputs, State(h, c)


def _flat(x: tf.Tensor) -> tf.Tensor:
    """Reshapes [F, T, B] → [F, T B]."""
    return tf.reshape(x, [tf.shape(x)[0], -1])


def _before(outputs: tf.Tensor, mask: tf.Tensor, h: tf.Tensor, backwards: bool) -> tf.Tensor:
    """Returns the outputs [U, T, B] shifted by one step in reading order; h [U, B] before a row's first token."""
    first = h[:, tf.newaxis]
    if not backwards:
        return tf.concat([first, outputs[:, :-1]], 1)
    # Reading backwards starts at the padding; its outputs are 0, so h replaces them.
    return tf.concat([tf.where(mask[1:], outputs[:, 1:], first), first], 1)


def _loop(
    z: tf.Tensor,
    mask: tf.Tensor,
    recurrent: tf.Tensor,
    bias: tf.Tensor,
    h: tf.Tensor,
    c: tf.Tensor,
    *,
    backwards: bool,
) -> Tensors:
    """Runs all steps in reading order; all tensors are float32 except the mask.

    Args:
        z: Wᵀx, [4U, T, B].
        mask: bool [T, B], False at padding.
        recurrent: recurrent kernel, [U, 4U].
        bias: [4U].
        h: initial output, [U, B].
        c: initial cell state, [U, B].
        backwards: as in `run`.

    Returns:
        Outputs [U, T, B], the last h and c [U, B], and for the gradient c [T, U, B] and the gates [T, 4U, B].
    """
    units, batch = tf.unstack(tf.shape(h))
    steps = tf.shape(z)[1]
    recurrent = tf.transpose(recurrent)

    def step(
        n: tf.Tensor, h: tf.Tensor, c: tf.Tensor, outputs: tf.Tensor, cells: tf.Tensor, gates: tf.Tensor
    ) -> Tensors:
        t = steps - 1 - n if backwards else n
        real = mask[t]
        i, f, g, o = tf.split(tf.matmul(recurrent, h) + z[:, t] + bias[:, tf.newaxis], 4)
        i = tf.where(real, tf.sigmoid(i), 0.0)
        f = tf.where(real, tf.sigmoid(f), 1.0)
        g = tf.tanh(g)
        o = tf.where(real, tf.sigmoid(o), 0.0)
        c = f * c + i * g
        output = o * tf.tanh(c)
        for gate, values in enumerate((i, f, g, o)):
            gates = _put(gates, values[tf.newaxis], t, gate * units)
        cells = _put(cells, c[tf.newaxis], t, 0)
        outputs = _put(outputs, output[:, tf.newaxis], 0, t)
        return n + 1, tf.where(real, output, h), c, outputs, cells, gates

    kept = [tf.zeros([units, steps, batch]), tf.zeros([steps, units, batch]), tf.zeros([steps, 4 * units, batch])]
    _, h, c, outputs, cells, gates = tf.while_loop(lambda n, *_: n < steps, step, [0, h, c, *kept])
    return outputs, h, c, cells, gates


def _gradient(
    d_outputs: tf.Tensor,
    d_h: tf.Tensor,
    d_c: tf.Tensor,
    mask: tf.Tensor,
    recurrent: tf.Tensor,
    first: tf.Tensor,
    cells: tf.Tensor,
    gates: tf.Tensor,
    *,
    backwards: bool,
) -> Tensors:
    """Computes the gradients of all steps, from the last step that was read to the first.

    Args:
        d_outputs: gradient of the outputs, [U, T, B].
        d_h: gradient of the last h, [U, B].
        d_c: gradient of the last c, [U, B].
        mask: bool [T, B], False at padding.
        recurrent: recurrent kernel, [U, 4U].
        first: initial c, [U, B].
        cells: c of every step from `_loop`, [T, U, B].
        gates: gates of every step from `_loop`, [T, 4U, B].
        backwards: as in `run`.

    Returns:
        The gradients of z [4U, T, B], and of the initial h and c [U, B].
    """
    units, batch = tf.unstack(tf.shape(first))
    steps = tf.shape(gates)[0]
    last, earlier = (0, 1) if backwards else (steps - 1, -1)

    def enter(t: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor, real: bool | tf.Tensor = True) -> Tensors:
        """Returns the gradients of c and of the output gate's z at step t; `d_h` and `d_c` come from later steps."""
        o, squashed = tf.where(real, gates[t][3 * units :], 0.0), tf.tanh(cells[t])
        d_output = (d_h + d_outputs[:, t]) * o
        return d_c + d_output * (1.0 - squashed * squashed), d_output * squashed * (1.0 - o)

    def step(n: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor, d_o: tf.Tensor, dz: tf.Tensor) -> Tensors:
        t, more = last + n * earlier, n + 1 < steps
        before = tf.clip_by_value(t + earlier, 0, steps - 1)
        i, f, g = tf.split(gates[t][: 3 * units], 3)
        d_i = d_c * g * i * (1.0 - i)
        d_f = d_c * tf.where(more, cells[before], first) * f * (1.0 - f)
        d_g = d_c * i * (1.0 - g * g)
        # Written one by one: XLA would fuse a concatenation into one expression that selects a gate per element.
        for gate, values in enumerate((d_i, d_f, d_g, d_o)):
            dz = _put(dz, values[:, tf.newaxis], gate * units, t)
        d_h = tf.matmul(recurrent, dz[:, t]) + tf.where(mask[t], 0.0, d_h)
        # `enter` runs here for the next iteration: XLA computes a loop variable once, other values once per use.
        return n + 1, d_h, *enter(before, d_h, d_c * f, more), dz

    dz = tf.zeros([4 * units, steps, batch])
    _, d_h, d_c, _, dz = tf.while_loop(
        lambda n, *_: n < steps, step, [0, d_h, *enter(tf.convert_to_tensor(last), d_h, d_c), dz]
    )
    return dz, d_h, d_c


def _put(whole: tf.Tensor, part: tf.Tensor, first: int | tf.Tensor, second: int | tf.Tensor) -> tf.Tensor:
    """Returns `whole`, [_, _, B], with `part` at index (first, second, 0); XLA updates it in place in a loop."""
    return xla.dynamic_update_slice(whole, part, tf.stack([first, second, 0]))


def _compiled(function: Callable[..., Tensors], signature: list[tf.TensorSpec]) -> dict[bool, Callable[..., Tensors]]:
    """Returns the compiled function by `backwards`; it is traced once, and XLA compiles it for every new size."""
    return {
        backwards: tf.function(
            partial(function, backwards=backwards), input_signature=signature, jit_compile=True, autograph=False
        )
        for backwards in (False, True)
    }


def _floats(*ranks: int) -> list[tf.TensorSpec]:
    """Returns float32 specs of the given ranks, with all sizes unknown."""
    return [tf.TensorSpec([None] * rank, tf.float32) for rank in ranks]


_MASK = tf.TensorSpec([None, None], tf.bool)
_LOOPS = _compiled(_loop, _floats(3) + [_MASK] + _floats(2, 1, 2, 2))
_GRADIENTS = _compiled(_gradient, _floats(3, 2, 2) + [_MASK] + _floats(2, 2, 3, 3))
