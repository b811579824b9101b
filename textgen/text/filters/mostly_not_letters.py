"""Documents of figures, drawings and code rather than words."""

import numpy as np
import tensorflow as tf

from textgen.config import SelectionConfig
from textgen.text.filters.cleaned_texts import CleanedTexts

_NO_LETTERS = r"[^ \n\t\pL\pM]+"


class MostlyNotLetters:
    """Drops documents with less than `least_percent` percent letters; white space is not counted."""

    reason = "mostly not letters"
    width = 2

    def __init__(self, least_percent: float):
        self._least_percent = least_percent

    @classmethod
    def from_config(cls, config: SelectionConfig) -> "MostlyNotLetters | None":
        """Returns the filter that the settings ask for, or None."""
        return cls(config.min_letters_percent) if config.min_letters_percent else None

    def measure(self, documents: CleanedTexts) -> tf.Tensor:
        """float64[B, 2], how many letters or combining marks, and how many characters other than white space."""
        lettered = tf.strings.length(tf.strings.regex_replace(documents.cleaned, _NO_LETTERS, ""), "UTF8_CHAR")
        white = _count_white(documents.cleaned)
        return tf.cast(tf.stack([lettered - white, documents.characters - white], axis=1), tf.float64)

    def drops(self, statistics: np.ndarray) -> np.ndarray:
        """float64[D, 2] → bool[D]; an empty document is kept."""
        letters, characters = statistics[:, 0], statistics[:, 1]
        return 100 * letters < self._least_percent * characters


def _count_white(cleaned: tf.Tensor) -> tf.Tensor:
    r"""string[B] → int32[B]; of cleaned text, the bytes up to that of the space are spaces, `\n` and `\t`."""
    white = tf.io.decode_raw(tf.strings.reduce_join(cleaned), tf.uint8) <= ord(" ")
    count = tf.concat([[0], tf.cumsum(tf.cast(white, tf.int32))], axis=0)
    ends = tf.cumsum(tf.strings.length(cleaned))
    return tf.gather(count, ends) - tf.gather(count, ends - tf.strings.length(cleaned))
