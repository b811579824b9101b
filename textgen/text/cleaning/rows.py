"""Applies rules only to the rows of a batch that need them."""

from collections.abc import Callable

import tensorflow as tf

CleaningRule = Callable[[tf.Tensor], tf.Tensor]
"""string[B] → string[B], each text by itself."""


def update_rows(texts: tf.Tensor, rows: tf.Tensor, rule: CleaningRule) -> tf.Tensor:
    """Applies a rule to the texts string [B] for which `rows`, bool [B], is true."""
    indices = tf.where(rows)
    return tf.tensor_scatter_nd_update(texts, indices, rule(tf.gather_nd(texts, indices)))


def has_non_ascii(texts: tf.Tensor) -> tf.Tensor:
    """string[B] of valid UTF-8 → bool[B]."""
    return tf.strings.length(texts, "UTF8_CHAR") < tf.strings.length(texts)


def contains(texts: tf.Tensor, pattern: str) -> tf.Tensor:
    """string[B] → bool[B], which hold a match; quick where a match begins with one certain character."""
    return tf.strings.length(tf.strings.regex_replace(texts, pattern, "")) < tf.strings.length(texts)
