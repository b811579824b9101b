"""Masks URLs."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD
from textgen.text.cleaning.rows import contains, update_rows
from textgen.text.cleaning.whitespace import WHITE_SPACE

# Punctuation at the end of a URL belongs to the sentence.
_REST = f"""[^{WHITE_SPACE}<>"“”«»]*[^{WHITE_SPACE}<>"“”«».,;:!?'’…)\\]}}]"""
_SCHEME = r"(?i:https?|ftp)://"
_ADDRESS = f"(?:{_SCHEME}|(?i:www)\\.){_REST}"


def mask_urls(texts: tf.Tensor) -> tf.Tensor:
    """Replaces each URL by `xxurl`: "see http://a.org/b." → "see xxurl.", "seehttp://a.org" → "see xxurl".

    string [B] → string [B].
    """
    return update_rows(texts, contains(texts, "://") | contains(texts, r"(?i)www\."), _mask)


def _mask(texts: tf.Tensor) -> tf.Tensor:
    texts = tf.strings.regex_replace(texts, f"([{WORD}]){_SCHEME}{_REST}", r"\1 xxurl")
    return tf.strings.regex_replace(texts, f"(^|[^{WORD}]){_ADDRESS}", r"\1xxurl")
