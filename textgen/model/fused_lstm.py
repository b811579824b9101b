"""LSTMs of a few rows outside of training on a CPU: one operation of TensorFlow reads all steps of a direction.

Keras reads each direction in a loop whose steps have about forty operations; for a single text, these cost more than
what they compute. TensorFlow's `BlockLSTM` has the formulas of `textgen.model.kernel`, but no masks. So each row is
read from its first real token on, and what a direction gives is taken from the last one. For many rows it is slower
than the loop.

`BlockLSTMV2`, which has the gates in Keras's order, is not used: TensorFlow 2.21 computes its gradient as if they
were in the order of `BlockLSTM`.
"""

from typing import NamedTuple

import tensorflow as tf

from textgen.model.kernel import Weights

_NO_CLIPPING = -1.0


class Encoded(NamedTuple):
    """The outputs and the last state of one direction.

    Attributes:
        outputs: float32 [B, T, U], each at the index of its token and 0 at padding.
        h: output at the last token that is read, [B, U].
        c: cell state there, [B, U].
    """

    outputs: tf.Tensor
    h: tf.Tensor
    c: tf.Tensor


def read(
    x: tf.Tensor,
    mask: tf.Tensor | None,
    weights: Weights,
    h: tf.Tensor | None,
    c: tf.Tensor | None,
    *,
    backwards: bool,
) -> Encoded:
    """Reads rows in one direction.

    Args:
        x: float32 [B, T, I]; of no row the gradients by the weights are undefined.
        mask: bool [B, T], False at padding, which may only follow a row's tokens; None for no padding.
        weights: weights of the direction.
        h: output before the first token that is read, [B, U]; None for zeros.
        c: cell state there, likewise.
        backwards: whether to read from the last token of a row to its first.
    """
    batch, steps = tf.unstack(tf.shape(x)[:2])
    lengths = tf.fill([batch], steps) if mask is None else tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    zeros = tf.zeros([batch, weights.recurrent.shape[0]])
    h, c = zeros if h is None else h, zeros if c is None else c
    of_no_use = tf.zeros([weights.recurrent.shape[0]])
    found = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(steps, tf.int64),
        x=tf.transpose(_in_order(x, lengths, backwards), [1, 0, 2]),
        cs_prev=c,
        h_prev=h,
        w=_ordered(tf.concat([weights.kernel, weights.recurrent], axis=0)),
        wci=of_no_use,
        wcf=of_no_use,
        wco=of_no_use,
        b=_ordered(weights.bias),
        forget_bias=0.0,
        cell_clip=_NO_CLIPPING,
        use_peephole=False,
    )
    outputs = _in_order(tf.transpose(found.h, [1, 0, 2]), lengths, backwards)
    if mask is not None:
        outputs = tf.where(mask[:, :, tf.newaxis], outputs, 0.0)
    outputs.set_shape([*x.shape[:2], weights.recurrent.shape[0]])
    return Encoded(outputs, _at_end(found.h, lengths, h), _at_end(found.cs, lengths, c))


def _ordered(weights: tf.Tensor) -> tf.Tensor:
    """Returns weights [..., 4U] with the gates in the operation's order: input, candidate, forget, output."""
    i, f, g, o = tf.split(weights, 4, axis=-1)
    return tf.concat([i, g, f, o], axis=-1)


def _in_order(rows: tf.Tensor, lengths: tf.Tensor, backwards: bool) -> tf.Tensor:
    """Returns the steps of rows [B, T, …] in the order of reading, or those in that order in the text's order."""
    return tf.reverse_sequence(rows, lengths, seq_axis=1) if backwards else rows


def _at_end(steps: tf.Tensor, lengths: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
    """Returns the last of `lengths` steps [T, B, U] of each row, [B, U]; `before` where there are none."""
    rows = tf.range(tf.shape(lengths)[0])
    return tf.gather_nd(tf.concat([before[tf.newaxis], steps], axis=0), tf.stack([lengths, rows], axis=1))
