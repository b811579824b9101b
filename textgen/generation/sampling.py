"""Samples tokens from logits."""

import tensorflow as tf

from textgen.model.masking import MASKED_LOGIT

_COLDEST, _HOTTEST = 1e-6, 1e6
"""Limits of the temperature. Beyond them a quotient would overflow, or a forbidden token become possible, while the
samples would not differ from the likeliest token or from uniform ones."""


def forbid(logits: tf.Tensor, ids: tuple[int, ...]) -> tf.Tensor:
    """Returns logits, float32 [B, V], with the given ids masked."""
    forbidden = tf.reduce_sum(tf.one_hot(ids, tf.shape(logits)[1]), axis=0)
    return tf.where(forbidden > 0, MASKED_LOGIT, logits)


def sample(logits: tf.Tensor, *, temperature: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Samples one id per row from softmax(logits / temperature); temperature 0 takes the likeliest.

    Args:
        logits: float32 [B, V].
        temperature: float32 [], at least 0.
        seed: int32 [2]; equal seeds give equal ids.

    Returns:
        int32 [B].
    """
    # The largest becomes 0 first, so that no quotient overflows upwards however low the temperature.
    shifted = logits - tf.reduce_max(logits, axis=-1, keepdims=True)
    scaled = tf.maximum(shifted / tf.clip_by_value(temperature, _COLDEST, _HOTTEST), MASKED_LOGIT)
    drawn = tf.random.stateless_categorical(scaled, 1, seed, dtype=tf.int32)[:, 0]
    return tf.where(temperature > 0, drawn, tf.argmax(logits, axis=-1, output_type=tf.int32))
