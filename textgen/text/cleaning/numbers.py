"""Masks numbers, or replaces their digits by zeros."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD, mask_words

_NUMBER = r"\p{Nd}+(?:[.,]\p{Nd}+)*"
# A comma or point between two digits belongs to the number; otherwise the 1 of "1,234kg" would be masked.
_BEFORE = f"^|[^{WORD}.,]|(?:^|\\P{{Nd}})[.,]"
_AFTER = f"$|[^{WORD}.,]|[.,](?:$|\\P{{Nd}})"


def zero_digits(texts: tf.Tensor) -> tf.Tensor:
    """Replaces every decimal digit by 0: "1,234.56" → "0,000.00"; string [B] → string [B]."""
    return tf.strings.regex_replace(texts, r"\p{Nd}", "0")


def mask_numbers(texts: tf.Tensor) -> tf.Tensor:
    """Replaces each number by `xxnumber`: "$1,234.56 for 3rd place" → "$xxnumber for 3rd place".

    string [B] → string [B].
    """
    return mask_words(texts, _NUMBER, "xxnumber", before=_BEFORE, after=_AFTER)
