"""Rules on the rows that need them: what one text of a batch costs, the others don't pay."""

from collections.abc import Callable

import tensorflow as tf

CleaningRule = Callable[[tf.Tensor], tf.Tensor]
"""string[B] → string[B], each text by itself."""


def update_rows(texts: tf.Tensor, rows: tf.Tensor, rule: CleaningRule) -> tf.Tensor:
    """string[B] and bool[B] → string[B], changed by the rule where `rows` says so."""
    places = tf.where(rows)
    return tf.tensor_scatter_nd_update(texts, places, rule(tf.gather_nd(texts, places)))


def has_non_ascii(texts: tf.Tensor) -> tf.Tensor:
    """string[B] of valid UTF-8 → bool[B]."""
    return tf.strings.length(texts, "UTF8_CHAR") < tf.strings.length(texts)


def contains(texts: tf.Tensor, pattern: str) -> tf.Tensor:
    """string[B] → bool[B], which hold a match; quick where a match begins with one certain character."""
    return tf.strings.length(tf.strings.regex_replace(texts, pattern, "")) < tf.strings.length(texts)
