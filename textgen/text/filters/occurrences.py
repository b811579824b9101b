"""Finds keys that occur more than once."""

from typing import NamedTuple

import tensorflow as tf


class Occurrences(NamedTuple):
    """Of N keys, in their order.

    Attributes:
        ids: int64[N], the same for keys that are equal, counted from 0.
        times: int32[N], how often the key occurs in all.
        again: bool[N], whether it has occurred before.
    """

    ids: tf.Tensor
    counts: tf.Tensor
    repeated: tf.Tensor


def occurrences(keys: tf.Tensor) -> Occurrences:
    """[N] → Occurrences; of a, b, a the ids are 0, 1, 0, and the last occurs again."""
    distinct, ids, counts = tf.unique_with_counts(keys, tf.int64)
    indices = tf.range(tf.size(keys))
    firsts = tf.math.unsorted_segment_min(indices, ids, tf.size(distinct))
    return Occurrences(ids, tf.gather(counts, ids), indices > tf.gather(firsts, ids))
