"""Counts the characters in repeated n-grams of words."""

from __future__ import annotations

from typing import NamedTuple

from textgen.lazy_tensorflow import tf
from textgen.text.filters.occurrences import occurrences

TOP = (2, 3, 4)
"""Values of n for which only the most frequent n-gram is counted."""

DUPLICATE = (5, 6, 7, 8, 9, 10)
"""Values of n for which every n-gram that occurred before in the document is counted."""


class _Words(NamedTuple):
    """The words of a batch of documents, T in all.

    Attributes:
        rows: int64 [T], index of the document of each word.
        before: int64 [T + 1], number of characters in the preceding words; the last element is the total.
        documents: int64 [], number of documents.
    """

    rows: tf.Tensor
    before: tf.Tensor
    documents: tf.Tensor


class _Grams(NamedTuple):
    """The n-grams of one n in a batch, G in all.

    Attributes:
        starts: int64 [G], index of the first word, ascending.
        ids: int64 [G], equal for equal n-grams.
        counts: int32 [G], number of occurrences in the document.
        repeated: bool [G], whether the n-gram occurred before in the document.
    """

    starts: tf.Tensor
    ids: tf.Tensor
    counts: tf.Tensor
    repeated: tf.Tensor


def count_repeated(words: tf.RaggedTensor) -> tf.Tensor:
    """Returns the number of characters in repeated n-grams, for n from 2 to 10.

    For n in TOP, all occurrences of the most frequent n-gram are counted, if it occurs at least twice; of several,
    the longest. For n in DUPLICATE, every n-gram that occurred before is counted; overlaps are counted once.

    Args:
        words: ragged string [B, (words)].

    Returns:
        int64 [B, 9].
    """
    # An n-gram occurs twice only if its (n - 1)-grams do, so few are left from n = 3 on.
    sizes = tf.cast(tf.strings.length(words.flat_values, "UTF8_CHAR"), tf.int64)
    batch = _Words(words.value_rowids(), tf.concat([[0], tf.cumsum(sizes)], axis=0), words.nrows())
    found = occurrences(words.flat_values)
    grams = _Grams(tf.range(tf.size(sizes, tf.int64)), found.ids, found.counts, found.repeated)
    columns = []
    for n in range(2, DUPLICATE[-1] + 1):
        grams = _longer(grams, batch)
        columns.append(_most_frequent(grams, n, batch) if n in TOP else _covered(grams, n, batch))
    return tf.stack(columns, axis=1)


def _longer(grams: _Grams, words: _Words) -> _Grams:
    """Returns the (n + 1)-grams that occur at least twice in their document, from the n-grams that do."""
    rows = tf.gather(words.rows, grams.starts)
    follows = tf.equal(grams.starts[1:], grams.starts[:-1] + 1) & tf.equal(rows[1:], rows[:-1])
    # Overflows only for a batch of a million documents with a million distinct words.
    base = tf.reduce_max(tf.concat([grams.ids, [0]], axis=0)) + 1
    keys = (rows[:-1] * base + grams.ids[:-1]) * base + grams.ids[1:]
    found = occurrences(tf.boolean_mask(keys, follows))
    longer = _Grams(tf.boolean_mask(grams.starts[:-1], follows), found.ids, found.counts, found.repeated)
    return _Grams(*(tf.boolean_mask(each, found.counts > 1) for each in longer))


def _most_frequent(grams: _Grams, n: int, words: _Words) -> tf.Tensor:
    """Returns int64 [B]: the characters of the most frequent n-gram, times its number of occurrences."""
    sizes = tf.gather(words.before, grams.starts + n) - tf.gather(words.before, grams.starts)
    # Count and size in one number, so that one maximum orders by count and then by size.
    ranks = tf.bitwise.left_shift(tf.cast(grams.counts, tf.int64), 32) + sizes
    most = tf.math.unsorted_segment_max(ranks, tf.gather(words.rows, grams.starts), words.documents)
    most = tf.maximum(most, 0)
    return tf.bitwise.right_shift(most, 32) * (most % 2**32)


def _covered(grams: _Grams, n: int, words: _Words) -> tf.Tensor:
    """Returns int64 [B]: the number of characters in n-grams that occurred before, overlaps counted once."""
    starts = tf.boolean_mask(grams.starts, grams.repeated)
    # To the end of the n-gram, or to the start of the next one if that comes first.
    ends = tf.minimum(starts + n, tf.concat([starts[1:], starts[-1:] + n], axis=0))
    sizes = tf.gather(words.before, ends) - tf.gather(words.before, starts)
    return tf.math.unsorted_segment_sum(sizes, tf.gather(words.rows, starts), words.documents)
