"""`xxname` for the name of a user."""

import tensorflow as tf

from textgen.text.cleaning.rows import change, holding
from textgen.text.cleaning.words import WORD


def mask_names(texts: tf.Tensor) -> tf.Tensor:
    """string[B] → string[B]; "thanks @ann_b!" is "thanks xxname!"."""
    return change(texts, holding(texts, "@"), _mask)


def _mask(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(texts, f"(^|[^{WORD}@])@+[{WORD}_]+", r"\1xxname")
