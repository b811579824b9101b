"""Drops documents of figures, drawings or code."""

from __future__ import annotations

import numpy as np

from textgen.config import SelectionConfig
from textgen.lazy_tensorflow import tf
from textgen.text.filters.cleaned_texts import CleanedTexts

_NO_LETTERS = r"[^ \n\t\pL\pM]+"


class MostlyNotLetters:
    """Drops documents with less than `least_percent` percent letters; white space is not counted."""

    reason = "mostly not letters"
    width = 2

    def __init__(self, least_percent: float):
        self._least_percent = least_percent

    @classmethod
    def from_config(cls, config: SelectionConfig) -> MostlyNotLetters | None:
        """Returns the filter that the settings ask for, or None."""
        return cls(config.min_letters_percent) if config.min_letters_percent else None

    def measure(self, documents: CleanedTexts) -> tf.Tensor:
        """Returns float64 [B, 2]: number of letters and combining marks, and of characters except white space."""
        lettered = tf.strings.length(tf.strings.regex_replace(documents.cleaned, _NO_LETTERS, ""), "UTF8_CHAR")
        white = _count_white(documents.cleaned)
        return tf.cast(tf.stack([lettered - white, documents.characters - white], axis=1), tf.float64)

    def drops(self, statistics: np.ndarray) -> np.ndarray:
        """Returns bool [D] from float64 [D, 2]; an empty document is kept."""
        letters, characters = statistics[:, 0], statistics[:, 1]
        return 100 * letters < self._least_percent * characters


def _count_white(cleaned: tf.Tensor) -> tf.Tensor:
    r"""Returns the number of spaces, `\n` and `\t` per cleaned text, string [B] → int32 [B].

    They are the only bytes of cleaned text up to that of the space.
    """
    white = tf.io.decode_raw(tf.strings.reduce_join(cleaned), tf.uint8) <= ord(" ")
    count = tf.concat([[0], tf.cumsum(tf.cast(white, tf.int32))], axis=0)
    ends = tf.cumsum(tf.strings.length(cleaned))
    return tf.gather(count, ends) - tf.gather(count, ends - tf.strings.length(cleaned))
