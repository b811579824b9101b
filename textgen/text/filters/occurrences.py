"""Finds keys that occur more than once."""

from __future__ import annotations

from typing import NamedTuple

from textgen.lazy_tensorflow import tf


class Occurrences(NamedTuple):
    """Occurrences of N keys, in their order.

    Attributes:
        ids: int64 [N], equal for equal keys, numbered from 0 by first occurrence.
        counts: int32 [N], number of occurrences of the key.
        repeated: bool [N], whether the key occurred before.
    """

    ids: tf.Tensor
    counts: tf.Tensor
    repeated: tf.Tensor


def occurrences(keys: tf.Tensor) -> Occurrences:
    """Returns the occurrences of keys [N] of any type: a, b, a → ids 0, 1, 0; the third one is repeated."""
    distinct, ids, counts = tf.unique_with_counts(keys, tf.int64)
    indices = tf.range(tf.size(keys))
    firsts = tf.math.unsorted_segment_min(indices, ids, tf.size(distinct))
    return Occurrences(ids, tf.gather(counts, ids), indices > tf.gather(firsts, ids))
