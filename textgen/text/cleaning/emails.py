"""Masks e-mail addresses."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD
from textgen.text.cleaning.rows import contains, update_rows

_NAME = f"[{WORD}]+(?:[._%+-]+[{WORD}]+)*"
_LABEL = f"[{WORD}]+(?:-+[{WORD}]+)*"


def mask_emails(texts: tf.Tensor) -> tf.Tensor:
    """Replaces each e-mail address by `xxemail`: "mail a.b@c.org!" → "mail xxemail!"; string [B] → string [B]."""
    return update_rows(texts, contains(texts, "@"), _mask)


def _mask(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(texts, f"{_NAME}@{_LABEL}(?:\\.{_LABEL})+", "xxemail")
