"""Documents that say the same again and again.

The statistics and their limits are those of Rae et al. 2021, "Scaling Language Models: Methods, Analysis & Insights
from Training Gopher", table A1: https://arxiv.org/abs/2112.11446. A line, a paragraph or an n-gram is a duplicate
where the document has said it before, so a text given twice is half duplicates.

Words are what white space parts in the cleaned text, whatever the tokenizer: n-grams of characters always repeat.
So a script that is written without spaces shows its repeated lines alone, and text whose lines are collapsed shows
its repeated n-grams alone.
"""

import numpy as np
import tensorflow as tf

from textgen.config import SelectionConfig
from textgen.text.filters import ngrams, passages
from textgen.text.filters.cleaned_texts import CleanedTexts

# Gopher keeps no document with fewer, and in one so short every phrase said twice is a large share.
_LEAST_WORDS = 50

# What is limited, as the columns of `measure`: a share of lines, of their characters, and the same of paragraphs; a
# share of the characters of words for n from 2 to 10.
_PARTS = (4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
_WHOLES = (2, 3, 6, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1)
_LIMITS = (0.30, 0.20, 0.30, 0.20, 0.20, 0.18, 0.16, 0.15, 0.14, 0.13, 0.12, 0.11, 0.10)


class TooRepetitive:
    """Drops documents with a larger share of repetition than Gopher's limits.

    Documents with fewer than 50 words aren't judged. Of a long one given in parts, what a part repeats of another
    isn't seen.
    """

    reason = "too repetitive"
    width = 19

    @classmethod
    def from_config(cls, config: SelectionConfig) -> "TooRepetitive | None":
        """Returns the filter that the settings ask for, or None."""
        return cls() if config.repetition == "drop" else None

    def measure(self, documents: CleanedTexts) -> tf.Tensor:
        """float64[B, 19]: words and their characters, four columns of lines, four of paragraphs, nine of n-grams."""
        words = tf.strings.split(documents.cleaned)
        characters = tf.reduce_sum(tf.strings.length(words, "UTF8_CHAR"), axis=1)
        columns = [
            tf.stack([words.row_lengths(), tf.cast(characters, tf.int64)], axis=1),
            passages.count_repeated(passages.lines(documents.cleaned)),
            passages.count_repeated(passages.paragraphs(documents.cleaned)),
            ngrams.count_repeated(words),
        ]
        return tf.cast(tf.concat(columns, axis=1), tf.float64)

    def drops(self, statistics: np.ndarray) -> np.ndarray:
        """float64[D, 19] → bool[D]."""
        beyond = statistics[:, _PARTS] > np.array(_LIMITS) * statistics[:, _WHOLES]
        return (statistics[:, 0] >= _LEAST_WORDS) & beyond.any(axis=1)
