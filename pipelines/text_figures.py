"""Computes the figures from which warnings about a dataset are made, as the counting pass goes over its text."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from textgen.config import PrepareConfig

PERCENTAGES = (5, 1)
"""Percentages of unknown tokens for which the size of the vocabulary is found."""

SYMBOL_TOKENIZERS = ("word", "char")
"""Tokenizers whose symbols are tokens, and may be unknown."""

_MOST_FREQUENT = 64

Histogram = Mapping[int, int]
"""For each count, the number of symbols that occur that often."""


def most_frequent_digests(digests: np.ndarray) -> dict[str, int]:
    """Returns how often the most frequent of the repeated hashes occur, by the hash as hexadecimal digits.

    Args:
        digests: uint8 [D, 16], the hash of each document.
    """
    # Sorting numbers is much faster than sorting whole hashes, most of which differ in their first 8 bytes.
    _, first, starts_alike = np.unique(
        digests[:, :8].copy().view(np.uint64)[:, 0], return_inverse=True, return_counts=True
    )
    repeated = digests[starts_alike[first] > 1]
    if not len(repeated):
        return {}
    found, counts = np.unique(repeated, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_FREQUENT]
    return {found[i].tobytes().hex(): int(counts[i]) for i in order if counts[i] > 1}


def histogram(counts: pa.ChunkedArray) -> dict[int, int]:
    """Returns the histogram of int64 counts."""
    values, symbols = np.unique(counts.to_numpy(), return_counts=True)
    return dict(zip(values.tolist(), symbols.tolist(), strict=True))


def vocabulary_sizes(counts: Histogram, config: PrepareConfig, *, unknown: int = 0) -> dict[str, int]:
    """Returns the sizes of the vocabulary that leave 5 and 1 percent of the tokens unknown.

    A percentage is left out if the unknown word alone exceeds it. All are left out for a tokenizer whose symbols are
    no tokens.

    Args:
        counts: histogram of the symbols of the training text.
        config: settings of the preparation.
        unknown: number of times that the unknown word occurs, which is among the symbols.
    """
    if config.text.tokenizer not in SYMBOL_TOKENIZERS:
        return {}
    learned = dict(counts)
    if unknown:
        learned[unknown] -= 1
    times = np.array(sorted(learned, reverse=True), np.int64)
    symbols = np.array([learned[count] for count in times.tolist()], np.int64)
    known = np.cumsum(times * symbols)
    found = {}
    for percent in PERCENTAGES:
        wanted = _known_tokens(int(np.sum(times * symbols)) + unknown, percent)
        row = int(np.searchsorted(known, wanted))
        if row < len(times):
            missing = wanted - (int(known[row - 1]) if row else 0)
            found[str(percent)] = int(symbols[:row].sum()) + -(-missing // int(times[row]))
    return found


def _known_tokens(total: int, percent: int) -> int:
    """Returns the number of tokens that must be known if at most `percent` of them may be unknown."""
    return -(-total * (100 - percent) // 100)


def add_histograms(histograms: Sequence[Histogram]) -> dict[int, int]:
    """Returns the histogram of the symbols of several disjoint sets."""
    total: dict[int, int] = {}
    for one in histograms:
        for count, symbols in one.items():
            total[count] = total.get(count, 0) + symbols
    return total
