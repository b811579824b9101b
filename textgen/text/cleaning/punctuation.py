"""Removes punctuation marks and symbols."""

import tensorflow as tf


def strip_punctuation(texts: tf.Tensor) -> tf.Tensor:
    """Removes apostrophes, and replaces other marks and symbols by spaces: "don't stop!" → "dont stop ".

    string [B] → string [B].
    """
    texts = tf.strings.regex_replace(texts, "['’]", "")
    return tf.strings.regex_replace(texts, r"[\pP\pS]+", " ")
