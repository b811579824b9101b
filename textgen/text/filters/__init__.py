"""Filters that drop whole documents: one filter a file, named after the reason it drops for.

A filter measures a batch of cleaned texts in graph operations, and decides per document on the sums over its chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from textgen.config import SelectionConfig
from textgen.lazy_tensorflow import tf
from textgen.text.filters.cleaned_texts import CleanedTexts
from textgen.text.filters.mostly_not_letters import MostlyNotLetters
from textgen.text.filters.too_long import TooLong
from textgen.text.filters.too_repetitive import TooRepetitive
from textgen.text.filters.too_short import TooShort


class Filter(Protocol):
    """Measures documents and decides which are dropped.

    Attributes:
        reason: name under which the dropped documents are counted.
        width: K, number of statistics per document.
    """

    reason: str
    width: int

    def measure(self, documents: CleanedTexts) -> tf.Tensor:
        """Returns statistics float64 [B, K]; those of a long document are the sum over its chunks."""
        ...

    def drops(self, statistics: np.ndarray) -> np.ndarray:
        """Returns bool [D], whether each document is dropped, from its statistics float64 [D, K]."""
        ...


FILTERS: tuple[Callable[[SelectionConfig], Filter | None], ...] = (
    TooShort.from_config,
    TooLong.from_config,
    MostlyNotLetters.from_config,
    TooRepetitive.from_config,
)
"""All filters, the cheapest first; the first one that drops a document gives the reason."""


def make_filters(config: SelectionConfig) -> list[Filter]:
    """Returns the filters that the settings ask for, in the order of FILTERS."""
    return [made for make in FILTERS if (made := make(config)) is not None]


def drop_reasons(filters: Sequence[Filter], statistics: np.ndarray) -> np.ndarray:
    """Returns for each document the reason of the first filter that drops it, or "".

    Args:
        filters: the filters, in order.
        statistics: float64 [D, sum of widths], the statistics of all filters side by side.

    Returns:
        object [D] of str.
    """
    reasons = np.full(len(statistics), "", object)
    end = statistics.shape[1]
    # Last filter first, so that the first one overwrites the others.
    for each in reversed(filters):
        reasons[each.drops(statistics[:, end - each.width : end])] = each.reason
        end -= each.width
    return reasons
