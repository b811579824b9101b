"""`xxxx` for what was blacked out with a run of the letter x."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD, mask_words
from textgen.text.cleaning.rows import contains, update_rows

# "Louis XX" and "xxx" are left alone: it takes four letters, or the shape of a date.
_REDACTION = r"(?:xx+(?:/xx+)+|xxxx+)(?:/xx+|/\p{Nd}{2,4})*"
_APART = f"[^{WORD}\\pP\\pS]+"


def mask_redactions(texts: tf.Tensor) -> tf.Tensor:
    """string[B] → string[B]; "On XX/XX/2015 XXXX XXXX called" is "On xxxx called"."""
    return update_rows(texts, contains(texts, "(?i)xx"), _mask)


def _mask(texts: tf.Tensor) -> tf.Tensor:
    return mask_words(texts, f"(?i:{_REDACTION}(?:{_APART}{_REDACTION})*)", "xxxx")
