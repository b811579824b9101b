"""Computes MinHash signatures, with which near duplicates are found.

The shingles of a document are all its sequences of five consecutive words. The fraction of equal elements in two
signatures estimates the Jaccard similarity of the documents' sets of shingles (Broder 1997). Five words and 14 bands
of 8 hashes are the settings of FineWeb (Penedo et al. 2024, arXiv:2406.17557).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from textgen.lazy_tensorflow import tf, tf_text

SHINGLE_WORDS = 5
BANDS, ROWS = 14, 8
HASHES = BANDS * ROWS

# Hash functions x → ((a x + b) mod 2^64) div 2^32 with odd a (Dietzfelbinger 1996).
_FACTORS, _TERMS = np.random.RandomState(0).randint(0, 1 << 63, (2, HASHES), np.uint64)
_FACTORS |= np.uint64(1)
_NO_SHINGLE = np.uint32(0xFFFFFFFF)


def signatures(cleaned: Sequence[bytes] | tf.Tensor) -> np.ndarray:
    """Returns the signatures of cleaned texts.

    The signature of a document in chunks is the elementwise minimum of the signatures of its chunks, except for
    shingles that span two chunks.

    Args:
        cleaned: B texts.

    Returns:
        uint32 [B, 112]; for a text without words, 2^32 - 1 in every element.
    """
    shingles, lengths = (tensor.numpy() for tensor in _shingle_graph()(tf.convert_to_tensor(cleaned, tf.string)))
    starts = np.cumsum(lengths) - lengths
    rows = np.flatnonzero(lengths)
    minima = np.full((len(lengths), HASHES), _NO_SHINGLE, np.uint32)
    if len(rows):
        # One hash function at a time, so that its intermediate results stay in the processor's cache.
        shingles = shingles.view(np.uint64)
        for i, (factor, term) in enumerate(zip(_FACTORS, _TERMS, strict=True)):
            hashed = ((shingles * factor + term) >> np.uint64(32)).astype(np.uint32)
            minima[rows, i] = np.minimum.reduceat(hashed, starts[rows])
    return minima


def band_keys(signatures: np.ndarray) -> np.ndarray:
    """Returns one key per band and document; documents with an equal key in any band are candidate near duplicates.

    Args:
        signatures: uint32 [D, 112].

    Returns:
        uint64 [14, D].
    """
    rows = signatures.reshape(len(signatures), BANDS, ROWS).astype(np.uint64)
    keys: np.ndarray = np.zeros((len(signatures), BANDS), np.uint64)
    for row in range(ROWS):
        keys = (keys ^ rows[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys.T


def sketches(signatures: np.ndarray) -> np.ndarray:
    """Returns the low 8 bits of each hash, uint32 [D, 112] → uint8 [D, 112]; enough to estimate the similarity."""
    return signatures.astype(np.uint8)


def similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns the estimated Jaccard similarity of pairs of sketches.

    Low bits of different hashes are equal once in 256 (b-bit minwise hashing, Li & König 2010, arXiv:0910.3349).

    Args:
        one: uint8 [N, 112], the first sketch of each pair.
        other: uint8 [N, 112], the second sketch of each pair.

    Returns:
        float64 [N], 1 for equal sketches, near 0 or slightly below for unrelated ones.
    """
    chance = 1 / 256
    return ((one == other).mean(axis=1) - chance) / (1 - chance)


@functools.cache
def _shingle_graph() -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    return tf.function(_shingles, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)


def _shingles(cleaned: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Hashes the shingles of texts; a text of one to four words has one shingle, padded with zeros.

    Args:
        cleaned: string [B].

    Returns:
        int64 [S], the hashes of all shingles of all texts; and int64 [B], number of shingles per text.
    """
    words = tf_text.WhitespaceTokenizer().tokenize(cleaned)
    hashes = words.with_values(tf.strings.to_hash_bucket_fast(words.values, (1 << 63) - 1))
    counts = hashes.row_lengths()
    missing = tf.where(counts > 0, tf.maximum(SHINGLE_WORDS - counts, 0), 0)
    padding = tf.RaggedTensor.from_row_lengths(tf.zeros([tf.reduce_sum(missing)], tf.int64), missing)
    padded = tf.concat([hashes, padding], axis=1)
    lengths = tf.maximum(padded.row_lengths() - (SHINGLE_WORDS - 1), 0)
    starts = tf.gather(padded.row_starts(), tf.repeat(tf.range(tf.size(lengths)), tf.cast(lengths, tf.int32)))
    starts += tf.ragged.range(lengths).flat_values
    combined = tf.zeros_like(starts)
    for i in range(SHINGLE_WORDS):
        combined = combined * 1_000_003 + tf.gather(padded.flat_values, starts + i)
    return combined, lengths
