"""One direction of an LSTM on a CPU: two compiled loops for what has to go step by step, large products for the rest.

Keras runs an LSTM on a CPU as a loop of some thirty small TensorFlow ops a step, and as many more for its gradient.
Here a step is one product with the recurrent kernel and the gates, and XLA makes one program of each loop. Outside of
the loops, over all steps at once, stand the products with the kernel and all gradients of weights.

Tensors have their features first and the batch last, [F, T, B]: so each gate of a step is one block of memory, and
each large product takes its operands as they lie. What only the loops read has its steps first, [T, F, B].

The formulas are those of `keras.layers.LSTM` (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al.
2000), gates in the order input, forget, candidate, output:

    i, f, o = σ(z), g = tanh(z), z = Wᵀx + Uᵀh' + b;  c = f c' + i g;  h = o tanh(c)

At a masked step i = o = 0 and f = 1: c stays to the last bit, the output is 0, and no gradient comes from it.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla

Tensors: TypeAlias = tuple[tf.Tensor, ...]


class Weights(NamedTuple):
    """As Keras keeps them: kernel [I, 4U], recurrent kernel [U, 4U], bias [4U]."""

    kernel: tf.Tensor
    recurrent: tf.Tensor
    bias: tf.Tensor


class State(NamedTuple):
    """Output and cell at one step, each [U, B]."""

    h: tf.Tensor
    c: tf.Tensor


def run(x: tf.Tensor, mask: tf.Tensor, weights: Weights, state: State, *, backwards: bool) -> tuple[tf.Tensor, State]:
    """Reads x in one direction; differentiable in x, the weights and the state.

    Args:
        x: float32 [I, T, B].
        mask: bool [T, B], False at padding, which may only follow a row's tokens.
        weights: of that direction.
        state: before the first token that is read.
        backwards: from the last token of a row to its first.

    Returns:
        float32 [U, T, B], each output at the place of its token, 0 at padding; the state after the last token read.
    """

    @tf.custom_gradient
    def differentiable(*inputs: tf.Tensor) -> tuple[Tensors, Callable[..., Tensors]]:
        # Else an eager tape asks the loops for a gradient of their own.
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
    """[F, T, B] → [F, T B]."""
    return tf.reshape(x, [tf.shape(x)[0], -1])


def _before(outputs: tf.Tensor, mask: tf.Tensor, h: tf.Tensor, backwards: bool) -> tf.Tensor:
    """The outputs [U, T, B] one step earlier in the order of reading; h [U, B] where a row begins."""
    first = h[:, tf.newaxis]
    if not backwards:
        return tf.concat([first, outputs[:, :-1]], 1)
    # A row that is read backwards begins after its padding, where outputs are 0.
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
    """All steps in the order of reading.

    Args:
        z: Wᵀx, [4U, T, B].
        mask, recurrent, bias, h, c, backwards: as in `run`.

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
    """All steps of the gradient, from the last that was read to the first.

    Args:
        d_outputs: [U, T, B].
        d_h, d_c: of the last state, [U, B].
        mask, recurrent, backwards: as in `run`.
        first: the first c, [U, B].
        cells, gates: what `_loop` kept.

    Returns:
        dz [4U, T, B], and the gradients of the first h and c [U, B].
    """
    units, batch = tf.unstack(tf.shape(first))
    steps = tf.shape(gates)[0]
    last, earlier = (0, 1) if backwards else (steps - 1, -1)

    def enter(t: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor, real: bool | tf.Tensor = True) -> Tensors:
        """The gradients by c of step t, and by z of its output gate; those given are what later steps add."""
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
        # One by one: as a concatenation they would become one formula with a choice at every element.
        for gate, values in enumerate((d_i, d_f, d_g, d_o)):
            dz = _put(dz, values[:, tf.newaxis], gate * units, t)
        d_h = tf.matmul(recurrent, dz[:, t]) + tf.where(mask[t], 0.0, d_h)
        # The step before is entered here: what a loop carries is computed once, and by XLA else for each of its uses.
        return n + 1, d_h, *enter(before, d_h, d_c * f, more), dz

    dz = tf.zeros([4 * units, steps, batch])
    _, d_h, d_c, _, dz = tf.while_loop(
        lambda n, *_: n < steps, step, [0, d_h, *enter(tf.convert_to_tensor(last), d_h, d_c), dz]
    )
    return dz, d_h, d_c


def _put(whole: tf.Tensor, part: tf.Tensor, first: int | tf.Tensor, second: int | tf.Tensor) -> tf.Tensor:
    """The whole [_, _, B] with that part from row (first, second) on: in place, in a loop that XLA compiles."""
    return xla.dynamic_update_slice(whole, part, tf.stack([first, second, 0]))


def _compiled(function: Callable[..., Tensors], signature: list[tf.TensorSpec]) -> dict[bool, Callable[..., Tensors]]:
    """Of each direction. One trace serves every size: XLA compiles for the sizes that it meets."""
    return {
        backwards: tf.function(
            partial(function, backwards=backwards), input_signature=signature, jit_compile=True, autograph=False
        )
        for backwards in (False, True)
    }


def _floats(*ranks: int) -> list[tf.TensorSpec]:
    return [tf.TensorSpec([None] * rank, tf.float32) for rank in ranks]


_MASK = tf.TensorSpec([None, None], tf.bool)
_LOOPS = _compiled(_loop, _floats(3) + [_MASK] + _floats(2, 1, 2, 2))
_GRADIENTS = _compiled(_gradient, _floats(3, 2, 2) + [_MASK] + _floats(2, 2, 3, 3))
