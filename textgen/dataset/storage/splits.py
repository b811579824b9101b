"""Assigns documents to splits, before any windows are made.

By document, a hash of the cleaned text chooses the split, so that equal texts are in the same split. By tail, the end
of every document is held out, for a corpus of a single novel; the first token after a cut has no context in its
split, so it is not a target. Where the input itself gives documents of validation and test, these are held out whole,
and the rest is divided in one of the two ways.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from textgen.config import SPLITS, PrepareConfig

DIGEST_BYTES = 16
_BUCKETS = 10_000

TRAIN = SPLITS.index("train")


def new_digest(text: bytes | memoryview) -> "hashlib.blake2b":
    """Returns the hash of a document: 128 bits of BLAKE2b over its cleaned text; `update` adds more of the text."""
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES)


def digests_of(texts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Returns uint8 [D, DIGEST_BYTES], the hashes of documents; see `new_digest`.

    Args:
        texts: uint8 [S], the cleaned texts one after another.
        edges: int64 [D + 1], start of each in `texts`, and the end of the last.
    """
    from textgen.dataset.storage.digest_loops import WORK_WORDS, digest_slices

    digests = np.empty((len(edges) - 1, DIGEST_BYTES // 8), np.uint64)
    digest_slices(texts, edges[:-1], edges[1:], np.empty(WORK_WORDS, np.uint64), digests)
    return digests.view(np.uint8)


class SplitRanges(NamedTuple):
    """Split ranges of D documents: tokens [start, end) of a document belong to a split.

    Attributes:
        starts: int64 [3, D], start of each range; one row per split, in the order of SPLITS.
        ends: int64 [3, D], end of each range; the range is empty if it is not above the start.
    """

    starts: np.ndarray
    ends: np.ndarray


def split_ranges(
    digests: np.ndarray, lengths: np.ndarray, config: PrepareConfig, *, given: np.ndarray | None = None
) -> SplitRanges:
    """Returns the split ranges of each document.

    Args:
        digests: uint8 [D, 16], hash of each document or of its group; see `new_digest`.
        lengths: int64 [D], number of tokens of each document.
        config: `split_by` and the percentages held out.
        given: int [D], index in SPLITS of the split that the input gives each document, -1 for none; None if it gives
            none.
    """
    found = split_indices(digests, config, given=given)
    mine = found == np.arange(len(SPLITS))[:, None]
    whole = SplitRanges(np.zeros(mine.shape, np.int64), np.where(mine, lengths, 0))
    if config.split_by == "document":
        return whole
    parts, is_divided = _tails(lengths, config.held_out_percent()), found == TRAIN
    return SplitRanges(np.where(is_divided, parts.starts, whole.starts), np.where(is_divided, parts.ends, whole.ends))


def split_indices(digests: np.ndarray, config: PrepareConfig, *, given: np.ndarray | None = None) -> np.ndarray:
    """Returns int [D], the index in SPLITS of the split of each document.

    The first 8 bytes of the hash, modulo 10,000, choose the split: validation has the lowest numbers, then test, then
    train. A document that is given to validation or test keeps its split, and one whose tail is held out is of train.

    Args:
        digests: uint8 [D, 16], hash of each document or of its group.
        config: `split_by` and the percentages held out.
        given: see `split_ranges`.
    """
    found = np.full(len(digests), TRAIN)
    if config.split_by == "document":
        buckets = digests[:, :8].copy().view("<u8")[:, 0] % _BUCKETS
        start = 0
        for split, percent in config.held_out_percent().items():
            end = start + round(percent * _BUCKETS / 100)
            found[(start <= buckets) & (buckets < end)] = SPLITS.index(split)
            start = end
    return found if given is None else np.where(given > TRAIN, given, found)


def _tails(lengths: np.ndarray, held_out_percent: dict[str, float]) -> SplitRanges:
    """Divides each document, int64 [D] tokens long, into train, validation and test, in this order."""
    validation, test = held_out_percent["validation"], held_out_percent["test"]
    test_starts = np.rint(lengths * (100.0 - test) / 100).astype(np.int64)
    train_ends = np.rint(lengths * (100.0 - test - validation) / 100).astype(np.int64)
    return SplitRanges(
        np.stack([np.zeros_like(lengths), train_ends, test_starts]),
        np.stack([train_ends, test_starts, lengths]),
    )
