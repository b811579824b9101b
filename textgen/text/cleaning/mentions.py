"""Masks mentions of users."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD
from textgen.text.cleaning.rows import contains, update_rows


def mask_mentions(texts: tf.Tensor) -> tf.Tensor:
    """Replaces each mention by `xxname`: "thanks @ann_b!" → "thanks xxname!"; string [B] → string [B]."""
    return update_rows(texts, contains(texts, "@"), _mask)


def _mask(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(texts, f"(^|[^{WORD}@])@+[{WORD}_]+", r"\1xxname")
