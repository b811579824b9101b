"""Numbers without their digits, of which there are too many to learn."""

import tensorflow as tf

from textgen.text.cleaning.placeholders import WORD, mask_words

_NUMBER = r"\p{Nd}+(?:[.,]\p{Nd}+)*"
# Between two digits a comma or a point is inside the number, else 1 were a number in 1,234kg.
_BEFORE = f"^|[^{WORD}.,]|(?:^|\\P{{Nd}})[.,]"
_AFTER = f"$|[^{WORD}.,]|[.,](?:$|\\P{{Nd}})"


def zero_digits(texts: tf.Tensor) -> tf.Tensor:
    """string[B] → string[B] with 0 for every decimal digit; "1,234.56" is "0,000.00"."""
    return tf.strings.regex_replace(texts, r"\p{Nd}", "0")


def mask_numbers(texts: tf.Tensor) -> tf.Tensor:
    """string[B] → string[B]; "$1,234.56 for 3rd place" is "$xxnumber for 3rd place"."""
    return mask_words(texts, _NUMBER, "xxnumber", before=_BEFORE, after=_AFTER)
