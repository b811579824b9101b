"""Text without marks."""

import tensorflow as tf


def strip_punctuation(texts: tf.Tensor) -> tf.Tensor:
    """string[B] → string[B]; apostrophes are removed ("don't" is "dont"), every other mark or symbol is a space."""
    texts = tf.strings.regex_replace(texts, "['’]", "")
    return tf.strings.regex_replace(texts, r"[\pP\pS]+", " ")
