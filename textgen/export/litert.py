"""Exports one step of a network as a LiteRT model of plain matrix products."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from textgen.config import PAD
from textgen.export.weights import LstmWeights, NetworkWeights, weights_of
from textgen.files import write_atomically
from textgen.model.language_model import LanguageModel
from textgen.model.masking import MASKED_LOGIT

FILE_NAME = "model.tflite"

_MERGES: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "concat": lambda left, right: tf.concat([left, right], axis=-1),
    "sum": tf.add,
    "mul": tf.multiply,
    "ave": lambda left, right: (left + right) / 2,
}


def save(model: LanguageModel, directory: Path) -> None:
    """Writes `model.tflite`.

    Of a causal network it is one step: `ids`, int32 [1], and states `state_0` …, each float32 [1, U], to `logits`,
    float32 [1, V], and the states after it, under the same names. Of another one it is a window: `ids`, int32
    [1, W], padded on the right with 0, to `logits`.

    Raises:
        OSError: the file can't be written.
    """
    module = tf.Module()
    module.step = plain_step(model)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.step.get_concrete_function()], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    write_atomically(directory / FILE_NAME, converter.convert())


def plain_step(model: LanguageModel) -> tf.function:
    """Returns the function that `save` converts, with the weights as constants."""
    weights = weights_of(model)
    if not model.config.causal:
        spec = tf.TensorSpec([1, model.window], tf.int32, "ids")
        return tf.function(lambda ids: _read_window(weights, ids), input_signature=[spec], autograph=False)
    specs = [tf.TensorSpec([1], tf.int32, "ids")]
    for number, width in enumerate(model.state_widths):
        specs.append(tf.TensorSpec([1, width], tf.float32, f"state_{number}"))
    return tf.function(lambda ids, *states: _step(weights, ids, states), input_signature=specs, autograph=False)


def _step(weights: NetworkWeights, ids: tf.Tensor, states: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
    x = tf.gather(tf.constant(weights.embedding), ids)
    after: list[tf.Tensor] = []
    for (lstm,) in weights.layers:
        h, c = states[len(after) : len(after) + 2]
        h, c = _cell(lstm, tf.matmul(x, lstm.kernel) + lstm.bias, h, c)
        after += [h, c]
        x = h
    return {"logits": _head(weights, x), **{f"state_{i}": state for i, state in enumerate(after)}}


def _read_window(weights: NetworkWeights, ids: tf.Tensor) -> dict[str, tf.Tensor]:
    """Runs all layers over a window; its steps are unrolled, since loops need operations of TensorFlow."""
    x = tf.gather(tf.constant(weights.embedding), ids[0])
    is_token = tf.cast(ids[0] != PAD, tf.float32)[:, tf.newaxis]
    merge = _MERGES[weights.merge]
    for forward, backward in weights.layers:
        left, last_left = _run(forward, x, is_token, backwards=False)
        right, last_right = _run(backward, x, is_token, backwards=True)
        x, last = merge(left, right), merge(last_left, last_right)
    if weights.pooling is not None:
        scores = tf.matmul(
            tf.tanh(tf.matmul(x, weights.pooling.kernel) + weights.pooling.bias), weights.pooling.score
        )
        scores = scores * is_token + MASKED_LOGIT * (1 - is_token)
        last = tf.reduce_sum(tf.nn.softmax(scores, axis=0) * x, axis=0, keepdims=True)
    return {"logits": _head(weights, last)}


def _run(lstm: LstmWeights, x: tf.Tensor, is_token: tf.Tensor, *, backwards: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the outputs of one direction, [W, U], and its last state, [1, U]."""
    gates = tf.matmul(x, lstm.kernel) + lstm.bias
    h = c = tf.zeros([1, lstm.units])
    steps = range(x.shape[0])
    outputs: dict[int, tf.Tensor] = {}
    for i in reversed(steps) if backwards else steps:
        real = is_token[i : i + 1]
        new_h, new_c = _cell(lstm, gates[i : i + 1], h, c)
        h, c = real * new_h + (1 - real) * h, real * new_c + (1 - real) * c
        outputs[i] = h
    return tf.concat([outputs[i] for i in steps], axis=0), h


def _cell(lstm: LstmWeights, gates: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns h and c after a step, from what the input gives to the gates, [1, 4U]."""
    i, f, g, o = tf.split(gates + tf.matmul(h, lstm.recurrent), 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def _head(weights: NetworkWeights, x: tf.Tensor) -> tf.Tensor:
    if weights.projection is not None:
        kernel, bias = weights.projection
        x = tf.matmul(x, kernel) + bias
    return tf.matmul(x, np.ascontiguousarray(weights.table.T)) + weights.bias
