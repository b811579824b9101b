"""Samples tokens from logits."""

import tensorflow as tf

from textgen.generation.controls import Controls, Kinds
from textgen.generation.draws import draw, uniform
from textgen.generation.limits import Limits, sample_limited

_COLDEST, _HOTTEST = 1e-6, 1e6
"""Limits of the temperature. Beyond them a quotient would overflow, or a token with MASKED_LOGIT become possible,
while the samples would not differ from the likeliest token or from uniform ones."""

_COLD = 1e-3
"""Temperature from which on no quotient of a logit of less than 1e30 overflows."""


def random_numbers(controls: Controls, lengths: tf.Tensor) -> tf.Tensor:
    """Returns the random number of the next token of each text, float64 [B], from the lengths so far, int32 [B]."""
    return uniform(controls.seeds, controls.samples, lengths)


def sample_next(
    logits: tf.Tensor, lengths: tf.Tensor, controls: Controls, numbers: tf.Tensor, kinds: Kinds
) -> tf.Tensor:
    """Samples the next id of each text by its settings.

    Args:
        logits: float32 [B, V], MASKED_LOGIT or less for tokens that are not allowed.
        lengths: int32 [B], number of tokens of each new text.
        controls: the settings of each row.
        numbers: float64 [B], of `random_numbers`.
        kinds: kinds of controls that are heeded.

    Returns:
        int32 [B].
    """
    position = tf.minimum(lengths, tf.shape(controls.temperatures)[1] - 1)
    return sample(
        logits,
        temperatures=tf.gather(controls.temperatures, position, batch_dims=1),
        numbers=numbers,
        limits=Limits(controls.top_k, controls.top_p, controls.min_p) if kinds.limits else None,
    )


def sample(
    logits: tf.Tensor, *, temperatures: tf.Tensor, numbers: tf.Tensor, limits: Limits | None = None
) -> tf.Tensor:
    """Samples one id per row from softmax(logits / temperature) of the tokens that the limits leave.

    Args:
        logits: float32 [B, V], MASKED_LOGIT or less for tokens that are not allowed.
        temperatures: float32 [B], at least 0; 0 takes the likeliest.
        numbers: float64 [B], random numbers in [0, 1).
        limits: top-k, top-p and min-p; None for none.

    Returns:
        int32 [B].
    """
    is_warm = temperatures > 0
    divisors = tf.where(is_warm, tf.clip_by_value(temperatures, _COLDEST, _HOTTEST), 1.0)[:, tf.newaxis]
    # Each pass over all logits of a batch takes time.
    drawn = tf.cond(
        tf.reduce_any(is_warm),
        lambda: _sample_warm(logits, divisors, numbers, limits),
        lambda: tf.zeros_like(temperatures, tf.int32),
    )
    return tf.cond(
        tf.reduce_all(is_warm),
        lambda: drawn,
        lambda: tf.where(is_warm, drawn, tf.argmax(logits, axis=-1, output_type=tf.int32)),
    )


def _sample_warm(logits: tf.Tensor, divisors: tf.Tensor, numbers: tf.Tensor, limits: Limits | None) -> tf.Tensor:
    """Samples from softmax(logits / divisors) of the tokens that the limits leave.

    A token that is not allowed stays so far below the others that it has 0 at the highest temperature too.
    """

    def shifted() -> tf.Tensor:
        # The largest becomes 0 first, so that no quotient overflows upwards however low the temperature.
        return (logits - tf.reduce_max(logits, axis=-1, keepdims=True)) / divisors

    def sample_all() -> tf.Tensor:
        is_safe = tf.reduce_all(divisors >= _COLD)
        return draw(tf.nn.softmax(tf.cond(is_safe, lambda: logits / divisors, shifted)), numbers)

    if limits is None:
        return sample_all()
    is_limited = (limits.top_k > 0) | (limits.top_p < 1) | (limits.min_p > 0)
    return tf.cond(tf.reduce_any(is_limited), lambda: sample_limited(shifted(), limits, numbers), sample_all)
