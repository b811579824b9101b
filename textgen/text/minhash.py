"""Signatures by which near duplicates are found: MinHash over the shingles of five words.

The share of equal places in two signatures estimates the Jaccard similarity of the documents' sets of shingles
(Broder 1997). Five words and 14 × 8 hashes are what FineWeb was deduplicated with (Penedo et al. 2024,
arXiv:2406.17557).
"""

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

SHINGLE_WORDS = 5
BANDS, ROWS = 14, 8
HASHES = BANDS * ROWS

# Multiply, add, keep the high bits: x → (a x + b) mod 2^64 div 2^32 with odd a (Dietzfelbinger 1996).
_FACTORS, _TERMS = np.random.RandomState(0).randint(0, 1 << 63, (2, HASHES), np.uint64)
_FACTORS |= np.uint64(1)
_NOTHING = np.uint32(0xFFFFFFFF)


def signatures(cleaned: tf.Tensor) -> np.ndarray:
    """string[B] of cleaned texts → uint32 [B, 112]; a text without words has the highest number everywhere.

    The signature of a document in parts is the elementwise minimum over its parts.
    """
    shingles, lengths = (part.numpy() for part in _shingles(cleaned))
    starts = np.cumsum(lengths) - lengths
    filled = np.flatnonzero(lengths)
    made = np.full((len(lengths), HASHES), _NOTHING, np.uint32)
    if len(filled):
        # Hash by hash, so that one row of numbers at a time goes through the processor's cache.
        shingles = shingles.view(np.uint64)
        for i, (factor, term) in enumerate(zip(_FACTORS, _TERMS, strict=True)):
            hashed = ((shingles * factor + term) >> np.uint64(32)).astype(np.uint32)
            made[filled, i] = np.minimum.reduceat(hashed, starts[filled])
    return made


def band_keys(signatures: np.ndarray) -> np.ndarray:
    """uint32 [D, 112] → uint64 [14, D]: documents that share a key in a band are likely to be near duplicates."""
    rows = signatures.reshape(len(signatures), BANDS, ROWS).astype(np.uint64)
    keys = np.zeros((len(signatures), BANDS), np.uint64)
    for row in range(ROWS):
        keys = (keys ^ rows[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys.T


def sketches(signatures: np.ndarray) -> np.ndarray:
    """uint32 [D, 112] → uint8 [D, 112], the low bits, which travel in place of the signature."""
    return signatures.astype(np.uint8)


def similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """uint8 [N, 112] twice → float64 [N], the estimated Jaccard similarity of each two sketches.

    Low bits agree by chance once in 256 (b-bit minwise hashing, Li & König 2010, arXiv:0910.3349).
    """
    chance = 1 / 256
    return ((one == other).mean(axis=1) - chance) / (1 - chance)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
def _shingles(cleaned: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """int64 [S], the hashes of all runs of five words, or of all words where they are fewer; and int64 [B]."""
    words = tf_text.WhitespaceTokenizer().tokenize(cleaned)
    hashes = words.with_values(tf.strings.to_hash_bucket_fast(words.values, (1 << 63) - 1))
    counts = hashes.row_lengths()
    # Short texts are filled up, so that they have one shingle.
    missing = tf.where(counts > 0, tf.maximum(SHINGLE_WORDS - counts, 0), 0)
    filler = tf.RaggedTensor.from_row_lengths(tf.zeros([tf.reduce_sum(missing)], tf.int64), missing)
    padded = tf.concat([hashes, filler], axis=1)
    lengths = tf.maximum(padded.row_lengths() - (SHINGLE_WORDS - 1), 0)
    starts = tf.gather(padded.row_starts(), tf.repeat(tf.range(tf.size(lengths)), tf.cast(lengths, tf.int32)))
    starts += tf.ragged.range(lengths).flat_values
    combined = tf.zeros_like(starts)
    for i in range(SHINGLE_WORDS):
        combined = combined * 1_000_003 + tf.gather(padded.flat_values, starts + i)
    return combined, lengths
