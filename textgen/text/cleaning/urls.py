"""`xxurl` for the address of a page."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD
from textgen.text.cleaning.rows import contains, update_rows
from textgen.text.cleaning.whitespace import WHITE_SPACE

# Marks at the end of an address are those of the sentence around it.
_REST = f"""[^{WHITE_SPACE}<>"“”«»]*[^{WHITE_SPACE}<>"“”«».,;:!?'’…)\\]}}]"""
_SCHEME = r"(?i:https?|ftp)://"
_ADDRESS = f"(?:{_SCHEME}|(?i:www)\\.){_REST}"


def mask_urls(texts: tf.Tensor) -> tf.Tensor:
    """string[B] → string[B]; "see http://a.org/b." is "see xxurl.", and "seehttp://a.org" is "see xxurl"."""
    return update_rows(texts, contains(texts, "://") | contains(texts, r"(?i)www\."), _mask)


def _mask(texts: tf.Tensor) -> tf.Tensor:
    texts = tf.strings.regex_replace(texts, f"([{WORD}]){_SCHEME}{_REST}", r"\1 xxurl")
    return tf.strings.regex_replace(texts, f"(^|[^{WORD}]){_ADDRESS}", r"\1xxurl")
