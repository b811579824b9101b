"""Drops documents with too few tokens."""

from __future__ import annotations

import numpy as np

from textgen.config import SelectionConfig
from textgen.lazy_tensorflow import tf
from textgen.text.filters.cleaned_texts import CleanedTexts


class TooShort:
    """Drops documents with fewer than `least` tokens."""

    reason = "too short"
    width = 1

    def __init__(self, least: int):
        self._least = least

    @classmethod
    def from_config(cls, config: SelectionConfig) -> TooShort | None:
        """Returns the filter that the settings ask for, or None."""
        return cls(config.min_tokens) if config.min_tokens else None

    def measure(self, documents: CleanedTexts) -> tf.Tensor:
        """Returns float64 [B, 1], the number of tokens."""
        return tf.cast(documents.lengths, tf.float64)[:, None]

    def drops(self, statistics: np.ndarray) -> np.ndarray:
        """Returns bool [D] from float64 [D, 1]."""
        return statistics[:, 0] < self._least
