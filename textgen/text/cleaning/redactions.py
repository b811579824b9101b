"""Masks redactions: words and dates that were overwritten with the letter x."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD, mask_words
from textgen.text.cleaning.rows import contains, update_rows

# At least four letters, or the form of a date, so that "Louis XX" and "xxx" remain.
_REDACTION = r"(?:xx+(?:/xx+)+|xxxx+)(?:/xx+|/\p{Nd}{2,4})*"
_APART = f"[^{WORD}\\pP\\pS]+"


def mask_redactions(texts: tf.Tensor) -> tf.Tensor:
    """Replaces consecutive redactions by `xxxx`: "On XX/XX/2015 XXXX called" → "On xxxx called".

    string [B] → string [B].
    """
    return update_rows(texts, contains(texts, "(?i)xx"), _mask)


def _mask(texts: tf.Tensor) -> tf.Tensor:
    return mask_words(texts, f"(?i:{_REDACTION}(?:{_APART}{_REDACTION})*)", "xxxx")
