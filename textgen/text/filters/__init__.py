"""Which documents are kept, one rule a file: a rule measures in graph operations, and refuses by the sums."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from textgen.config import SelectionConfig
from textgen.text.filters.cleaned_texts import Documents
from textgen.text.filters.mostly_not_letters import MostlyNotLetters
from textgen.text.filters.too_long import TooLong
from textgen.text.filters.too_repetitive import TooRepetitive
from textgen.text.filters.too_short import TooShort


class Rule(Protocol):
    """What a document must satisfy.

    Attributes:
        reason: what a document that it refuses is counted under.
        width: K, how many sums it takes.
    """

    reason: str
    width: int

    def measure(self, documents: Documents) -> tf.Tensor:
        """float64[B, K], sums that add up over the parts of a long document."""
        ...

    def refuses(self, sums: np.ndarray) -> np.ndarray:
        """float64[D, K], of whole documents → bool[D]."""
        ...


def make_rules(config: SelectionConfig) -> list[Rule]:
    """The rules that the config asks for, the cheapest first; the first that refuses a document names the reason."""
    rules: list[Rule] = []
    if config.min_tokens:
        rules.append(TooShort(config.min_tokens))
    if config.max_tokens:
        rules.append(TooLong(config.max_tokens))
    if config.min_letters_percent:
        rules.append(MostlyNotLetters(config.min_letters_percent))
    if config.repetition == "drop":
        rules.append(TooRepetitive())
    return rules


def reasons(rules: Sequence[Rule], sums: np.ndarray) -> np.ndarray:
    """float64[D, K], the sums of all rules side by side → object[D], why each document is refused, or ""."""
    found = np.full(len(sums), "", object)
    end = sums.shape[1]
    # From the last on, so that the first rule that refuses has the last word.
    for rule in reversed(rules):
        found[rule.refuses(sums[:, end - rule.width : end])] = rule.reason
        end -= rule.width
    return found
