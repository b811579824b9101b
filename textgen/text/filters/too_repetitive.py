"""Drops documents that repeat themselves.

The statistics and their limits are those of Rae et al. 2021, "Scaling Language Models: Methods, Analysis & Insights
from Training Gopher", table A1: https://arxiv.org/abs/2112.11446. A line, paragraph or n-gram is a duplicate if it
occurred before in the document, so half of a text that is given twice is duplicate.

Words are split at white space for every tokenizer, since n-grams of characters always repeat. So only repeated lines
are found in a script without spaces, and only repeated n-grams in text whose lines are collapsed.
"""

from __future__ import annotations

import numpy as np

from textgen.config import SelectionConfig
from textgen.lazy_tensorflow import tf
from textgen.text.filters import ngrams, passages
from textgen.text.filters.cleaned_texts import CleanedTexts

# In shorter documents, a phrase that occurs twice is already a large fraction; Gopher drops them.
_LEAST_WORDS = 50

# Columns of `measure` that are limited, and those that they are a fraction of: duplicate lines, their characters, the
# same for paragraphs, and for n from 2 to 10 the characters of repeated n-grams.
_PARTS = (4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
_WHOLES = (2, 3, 6, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1)
_LIMITS = (0.30, 0.20, 0.30, 0.20, 0.20, 0.18, 0.16, 0.15, 0.14, 0.13, 0.12, 0.11, 0.10)


class TooRepetitive:
    """Drops documents of at least 50 words in which a repeated fraction exceeds Gopher's limit.

    Repetitions across two chunks of a long document are not found.
    """

    reason = "too repetitive"
    width = 19

    @classmethod
    def from_config(cls, config: SelectionConfig) -> TooRepetitive | None:
        """Returns the filter that the settings ask for, or None."""
        return cls() if config.repetition == "drop" else None

    def measure(self, documents: CleanedTexts) -> tf.Tensor:
        """Returns float64 [B, 19]: words, their characters, 4 columns for lines, 4 for paragraphs, 9 for n-grams."""
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
        """Returns bool [D] from float64 [D, 19]."""
        beyond = statistics[:, _PARTS] > np.array(_LIMITS) * statistics[:, _WHOLES]
        return (statistics[:, 0] >= _LEAST_WORDS) & beyond.any(axis=1)
