"""Sampling where no setting changes a probability: from the same softmax as that of log-probabilities."""

from typing import NamedTuple

import tensorflow as tf

from textgen.generation.controls import Controls
from textgen.generation.draws import draw
from textgen.model.masking import MASKED_LOGIT
from textgen.text.vocabulary import FIRST_ID

_LARGEST = 1e30
"""Bound of logits, which can be divided by small temperatures."""

_MOST_FORBIDDEN = 0.999

_SMALLEST = 1e-30
"""Probability whose logarithm is still exact in float32."""


class PlainSampling(NamedTuple):
    """Properties of the settings of a batch that do not depend on its tokens.

    Attributes:
        is_plain: bool [], whether tokens are sampled from the softmax of the logits, of the tokens that are allowed.
        allowed: float32 [B, N], for each of the N reserved ids 1 if it is allowed and 0 if not; other tokens are.
        biases: float32 [B, V], of `dense_biases`, for where they are not.
    """

    is_plain: tf.Tensor
    allowed: tf.Tensor
    biases: tf.Tensor


def plain_sampling(controls: Controls, biases: tf.Tensor) -> PlainSampling:
    """Returns what the settings tell.

    Args:
        controls: the settings of each row.
        biases: float32 [B, V], of `dense_biases`.
    """
    conditions = (
        controls.temperatures == 1,
        controls.top_k == 0,
        controls.top_p == 1,
        controls.min_p == 0,
        controls.repetition_penalty == 1,
        controls.presence_penalty == 0,
        controls.frequency_penalty == 0,
        controls.no_repeat_ngram == 0,
        controls.biases == 0,
        ~controls.may_end | (controls.min_tokens == 0),
    )
    is_plain = tf.reduce_all(tf.stack([tf.reduce_all(condition) for condition in conditions]))
    return PlainSampling(is_plain, tf.cast(biases[:, :FIRST_ID] > MASKED_LOGIT / 2, tf.float32), biases)


def is_plain_now(plain: PlainSampling, probabilities: tf.Tensor) -> tf.Tensor:
    """Returns whether the next token is sampled from probabilities, float32 [B, V], of the tokens that are allowed.

    It is not where nearly all of a row is that of reserved ids, such as [EOS], so that the rest has lost its digits.
    """
    forbidden = probabilities[:, :FIRST_ID] * (1 - plain.allowed)
    return plain.is_plain & tf.reduce_all(tf.reduce_sum(forbidden, axis=-1) < _MOST_FORBIDDEN)


def draw_plain(plain: PlainSampling, probabilities: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """Returns the next ids, int32 [B], where `is_plain_now`.

    Args:
        plain: properties of the settings.
        probabilities: float32 [B, V].
        numbers: float64 [B], random numbers in [0, 1).
    """
    return draw(probabilities, numbers, plain.allowed)


def finite_softmax(logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns logits, float32 [B, V], with MASKED_LOGIT for NaN and infinite ones, and their softmax."""

    def mend() -> tf.Tensor:
        finite = tf.where(tf.math.is_finite(logits), logits, MASKED_LOGIT)
        return tf.clip_by_value(finite, -_LARGEST, _LARGEST)

    # One sum tells of all, which takes a fraction of the time.
    is_finite = tf.reduce_all(tf.abs(tf.reduce_sum(logits, axis=-1)) < _LARGEST)
    finite = tf.cond(is_finite, lambda: logits, mend)
    return finite, tf.nn.softmax(finite)


def log_total(logits: tf.Tensor, probabilities: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Returns the logarithm of the sum of the exponentials of logits, float32 [B], from the softmax of one id each.

    Args:
        logits: float32 [B, V].
        probabilities: float32 [B, V], their softmax.
        ids: int32 [B].
    """
    of_ids = tf.gather(probabilities, ids, batch_dims=1)
    return tf.cond(
        tf.reduce_all(of_ids > _SMALLEST),
        lambda: tf.gather(logits, ids, batch_dims=1) - tf.math.log(of_ids),
        lambda: tf.reduce_logsumexp(logits, axis=-1),
    )
