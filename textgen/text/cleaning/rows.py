"""Applies rules only to the rows of a batch that need them."""

from collections.abc import Callable

import tensorflow as tf

CleaningRule = Callable[[tf.Tensor], tf.Tensor]
"""string [B] → string [B]; each text is cleaned independently of the others."""


def update_rows(texts: tf.Tensor, rows: tf.Tensor, rule: CleaningRule) -> tf.Tensor:
    """Applies a rule to the texts for which `rows` is true.

    Args:
        texts: string [B].
        rows: bool [B].
        rule: string [R] → string [R].

    Returns:
        string [B].
    """
    indices = tf.where(rows)
    return tf.tensor_scatter_nd_update(texts, indices, rule(tf.gather_nd(texts, indices)))


def narrow_rows(texts: tf.Tensor, rows: tf.Tensor, test: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Returns which of the selected texts pass a test, which is applied to these only.

    Args:
        texts: string [B].
        rows: bool [B], the selected texts.
        test: string [R] → bool [R].

    Returns:
        bool [B].
    """
    indices = tf.where(rows)
    return tf.tensor_scatter_nd_update(rows, indices, test(tf.gather_nd(texts, indices)))


def has_non_ascii(texts: tf.Tensor) -> tf.Tensor:
    """Returns whether each text has a character beyond ASCII, string [B] of valid UTF-8 → bool [B]."""
    return tf.strings.length(texts, "UTF8_CHAR") < tf.strings.length(texts)


def contains(texts: tf.Tensor, pattern: str) -> tf.Tensor:
    """Returns whether each text has a match, string [B] → bool [B]; fast if all matches start with one character."""
    return tf.strings.length(tf.strings.regex_replace(texts, pattern, "")) < tf.strings.length(texts)
