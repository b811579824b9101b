"""Which documents are kept, one rule a file: a rule measures in graph operations, and refuses by the sums."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from textgen.config import SelectionConfig
from textgen.text.filters.cleaned_texts import CleanedTexts
from textgen.text.filters.mostly_not_letters import MostlyNotLetters
from textgen.text.filters.too_long import TooLong
from textgen.text.filters.too_repetitive import TooRepetitive
from textgen.text.filters.too_short import TooShort


class Filter(Protocol):
    """What a document must satisfy.

    Attributes:
        reason: what a document that it refuses is counted under.
        width: K, how many sums it takes.
    """

    reason: str
    width: int

    def measure(self, documents: CleanedTexts) -> tf.Tensor:
        """float64[B, K], sums that add up over the parts of a long document."""
        ...

    def drops(self, statistics: np.ndarray) -> np.ndarray:
        """float64[D, K], of whole documents → bool[D]."""
        ...


def make_filters(config: SelectionConfig) -> list[Filter]:
    """The rules that the config asks for, the cheapest first; the first that refuses a document names the reason."""
    filters: list[Filter] = []
    if config.min_tokens:
        filters.append(TooShort(config.min_tokens))
    if config.max_tokens:
        filters.append(TooLong(config.max_tokens))
    if config.min_letters_percent:
        filters.append(MostlyNotLetters(config.min_letters_percent))
    if config.repetition == "drop":
        filters.append(TooRepetitive())
    return filters


def drop_reasons(filters: Sequence[Filter], statistics: np.ndarray) -> np.ndarray:
    """float64[D, K], the sums of all rules side by side → object[D], why each document is refused, or ""."""
    found = np.full(len(statistics), "", object)
    end = statistics.shape[1]
    # From the last on, so that the first rule that refuses has the last word.
    for filter in reversed(filters):
        found[filter.drops(statistics[:, end - filter.width : end])] = filter.reason
        end -= filter.width
    return found
