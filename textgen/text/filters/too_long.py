"""Drops documents with too many tokens."""

from __future__ import annotations

import numpy as np

from textgen.config import SelectionConfig
from textgen.lazy_tensorflow import tf
from textgen.text.filters.cleaned_texts import CleanedTexts


class TooLong:
    """Drops documents with more than `most` tokens."""

    reason = "too long"
    width = 1

    def __init__(self, most: int):
        self._most = most

    @classmethod
    def from_config(cls, config: SelectionConfig) -> TooLong | None:
        """Returns the filter that the settings ask for, or None."""
        return cls(config.max_tokens) if config.max_tokens else None

    def measure(self, documents: CleanedTexts) -> tf.Tensor:
        """Returns float64 [B, 1], the number of tokens."""
        return tf.cast(documents.lengths, tf.float64)[:, None]

    def drops(self, statistics: np.ndarray) -> np.ndarray:
        """Returns bool [D] from float64 [D, 1]."""
        return statistics[:, 0] > self._most
