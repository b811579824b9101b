"""`xxname` for the name of a user."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD
from textgen.text.cleaning.rows import contains, update_rows


def mask_mentions(texts: tf.Tensor) -> tf.Tensor:
    """string[B] → string[B]; "thanks @ann_b!" is "thanks xxname!"."""
    return update_rows(texts, contains(texts, "@"), _mask)


def _mask(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(texts, f"(^|[^{WORD}@])@+[{WORD}_]+", r"\1xxname")
