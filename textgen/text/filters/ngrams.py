"""How much of a document is n-grams of words that it has said before."""

from typing import NamedTuple

import tensorflow as tf

from textgen.text.filters.occurrences import occurrences

TOP = (2, 3, 4)
"""The n of which the most frequent n-gram counts."""

DUPLICATE = (5, 6, 7, 8, 9, 10)
"""The n of which all n-grams count that have occurred before."""


class _Words(NamedTuple):
    """All words of a batch, T in all.

    Attributes:
        rows: int64[T], the document of each.
        before: int64[T + 1], how many characters stand before each, and at last how many there are.
        documents: int64, how many there are.
    """

    rows: tf.Tensor
    before: tf.Tensor
    documents: tf.Tensor


class _Grams(NamedTuple):
    """The n-grams of one n, G in all.

    Attributes:
        starts: int64[G], the place of the first word, rising.
        ids: int64[G], the same for n-grams that are equal.
        times: int32[G], how often they occur in their document.
        again: bool[G], whether they have occurred in it before.
    """

    starts: tf.Tensor
    ids: tf.Tensor
    counts: tf.Tensor
    repeated: tf.Tensor


def count_repeated(words: tf.RaggedTensor) -> tf.Tensor:
    """Ragged string [B, (words)] → int64[B, 9], characters in repeated n-grams for n from 2 to 10.

    For an n of TOP, those of the n-gram that occurs most often, if twice; of two such, the longer. For an n of
    DUPLICATE, those of all n-grams that have occurred before, where n-grams overlap counted once.
    """
    # An n-gram can only occur twice if its parts do, so few are left to look at from n = 3 on.
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
    """The (n + 1)-grams that occur at least twice in their document."""
    rows = tf.gather(words.rows, grams.starts)
    follows = tf.equal(grams.starts[1:], grams.starts[:-1] + 1) & tf.equal(rows[1:], rows[:-1])
    # It takes a million documents with a million distinct words to overflow.
    base = tf.reduce_max(tf.concat([grams.ids, [0]], axis=0)) + 1
    keys = (rows[:-1] * base + grams.ids[:-1]) * base + grams.ids[1:]
    found = occurrences(tf.boolean_mask(keys, follows))
    longer = _Grams(tf.boolean_mask(grams.starts[:-1], follows), found.ids, found.counts, found.repeated)
    return _Grams(*(tf.boolean_mask(each, found.counts > 1) for each in longer))


def _most_frequent(grams: _Grams, n: int, words: _Words) -> tf.Tensor:
    """int64[B], the characters of the n-gram that occurs most often, times how often."""
    sizes = tf.gather(words.before, grams.starts + n) - tf.gather(words.before, grams.starts)
    # One number, so that one maximum is first by how often and then by how long.
    ranks = tf.bitwise.left_shift(tf.cast(grams.counts, tf.int64), 32) + sizes
    most = tf.math.unsorted_segment_max(ranks, tf.gather(words.rows, grams.starts), words.documents)
    most = tf.maximum(most, 0)
    return tf.bitwise.right_shift(most, 32) * (most % 2**32)


def _covered(grams: _Grams, n: int, words: _Words) -> tf.Tensor:
    """int64[B], the characters of n-grams that have occurred before."""
    starts = tf.boolean_mask(grams.starts, grams.repeated)
    # Up to the end of the n-gram, or to where the next one starts.
    ends = tf.minimum(starts + n, tf.concat([starts[1:], starts[-1:] + n], axis=0))
    sizes = tf.gather(words.before, ends) - tf.gather(words.before, starts)
    return tf.math.unsorted_segment_sum(sizes, tf.gather(words.rows, starts), words.documents)
