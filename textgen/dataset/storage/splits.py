"""Which part of the corpus a document belongs to, settled before any window is cut.

By document: a hash of the cleaned text decides, so that equal texts share a split wherever they stand. By tail:
the last part of every document is held out, for a corpus that is one novel; the token after a cut has no context on
its side of it, so it is no target.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from textgen.config import SPLITS, PrepareConfig

DIGEST_BYTES = 16
_BUCKETS = 10_000


def new_digest(text: bytes) -> "hashlib.blake2b":
    """The hash that stands for a document: 128 bits of BLAKE2b over its cleaned text; `update` takes more of it."""
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES)


class SplitRanges(NamedTuple):
    """Tokens `starts` to `ends` of each document belong to a split.

    Attributes:
        starts: int64 [3, D], a row a split, in the order of SPLITS.
        ends: int64 [3, D]; where it is not above the start, the split has nothing of the document.
    """

    starts: np.ndarray
    ends: np.ndarray


def split_ranges(digests: np.ndarray, lengths: np.ndarray, config: PrepareConfig) -> SplitRanges:
    """What each split has of each document.

    Args:
        digests: uint8 [D, 16].
        lengths: int64 [D], in tokens.
        config: `split_by` and the shares held out.
    """
    if config.split_by == "tail":
        return _tails(lengths, config.held_out_percent())
    mine = split_indices(digests, config) == np.arange(len(SPLITS))[:, None]
    return SplitRanges(np.zeros(mine.shape, np.int64), np.where(mine, lengths, 0))


def split_indices(digests: np.ndarray, config: PrepareConfig) -> np.ndarray:
    """uint8 [D, 16] → int [D], the place in SPLITS of each document's split.

    The first 8 bytes of the hash, modulo 10,000, fall in validation's share, then in test's, then in train's.
    """
    buckets = digests[:, :8].copy().view("<u8")[:, 0] % _BUCKETS
    found = np.full(len(buckets), SPLITS.index("train"))
    start = 0
    for split, percent in config.held_out_percent().items():
        end = start + round(percent * _BUCKETS / 100)
        found[(start <= buckets) & (buckets < end)] = SPLITS.index(split)
        start = end
    return found


def _tails(lengths: np.ndarray, held_out_percent: dict[str, float]) -> SplitRanges:
    """Train, then validation, then test, by their shares of each length."""
    validation, test = held_out_percent["validation"], held_out_percent["test"]
    test_starts = np.rint(lengths * (100.0 - test) / 100).astype(np.int64)
    train_ends = np.rint(lengths * (100.0 - test - validation) / 100).astype(np.int64)
    return SplitRanges(
        np.stack([np.zeros_like(lengths), train_ends, test_starts]),
        np.stack([train_ends, test_starts, lengths]),
    )
