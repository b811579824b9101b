"""Lookup table of byte-level BPE as graph operations: applies the merges to pre-tokens, seen before or not."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from textgen.config import RESERVED
from textgen.text.tokenizers.byte_alphabet import to_bytes, to_characters
from textgen.text.tokenizers.merges import merges_of
from textgen.text.vocabulary import FIRST_ID

_NONE = np.iinfo(np.int32).max
"""Stands for the merged token of a pair that is not merged."""


class BpeTable(tf.Module):
    """Lookup table in which a pre-token has the ids of the tokens that the merges leave of its bytes.

    A lower id was learned earlier, so the pair to merge is the one with the lowest merged id.
    """

    def __init__(self, tokens: Sequence[str]):
        """Builds the table.

        Args:
            tokens: the tokens in the order of their merges; `tokens[i]` has the id `i + 4`.

        Raises:
            UserError: a byte is missing, or a token is not made of two tokens before it.
        """
        super().__init__()
        merges = np.array(merges_of(tokens), np.int64).reshape(-1, 2) + FIRST_ID
        ids = {token: i for i, token in enumerate(tokens, FIRST_ID)}
        self._texts = tf.constant([*(text.encode() for text in RESERVED), *map(to_bytes, tokens)], tf.string)
        self._bytes = tf.constant([ids[to_characters(bytes([byte]))] for byte in range(256)], tf.int32)
        merged = [ids[tokens[left - FIRST_ID] + tokens[right - FIRST_ID]] for left, right in merges.tolist()]
        # With one more key that no pair has, since a table must not be empty.
        keys, values = [*(merges[:, 0] << 32 | merges[:, 1]), -1], [*merged, _NONE]
        self._merged = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(keys, tf.int64), tf.constant(values, tf.int32)),
            default_value=_NONE,
        )

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of pre-tokens, string [N] → ragged int32 [N, (ids)]."""
        distinct, indices = tf.unique(symbols)
        found = tf_text.ByteSplitter().split(distinct)
        first = tf.gather(self._bytes, tf.cast(found.values, tf.int32)), found.value_rowids()
        ids, rows = self._merge_all(*first)
        return tf.gather(
            tf.RaggedTensor.from_value_rowids(ids, rows, nrows=tf.size(distinct, tf.int64), validate=False), indices
        )

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Returns the bytes of each id, ragged int32 [B, (T)] → ragged string [B, (T)]."""
        return ids.with_flat_values(tf.gather(self._texts, ids.flat_values))

    def _merge_all(self, ids: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Applies all merges to the ids of bytes, int32 [M], given the row of each, int64 [M], in ascending order.

        Returns:
            The same of the tokens that are left.
        """

        def step(
            ids: tf.Tensor, rows: tf.Tensor, done_ids: tf.Tensor, done_rows: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            merged, lowest = self._candidates(ids, rows)
            done = tf.equal(lowest, _NONE)
            done_ids = tf.concat([done_ids, tf.boolean_mask(ids, done)], axis=0)
            done_rows = tf.concat([done_rows, tf.boolean_mask(rows, done)], axis=0)
            ids, rows, merged, lowest = (tf.boolean_mask(each, ~done) for each in (ids, rows, merged, lowest))
            left = _without_overlaps(tf.equal(merged, lowest))
            kept = ~_shifted(left)
            ids = tf.where(left, merged, ids)
            return tf.boolean_mask(ids, kept), tf.boolean_mask(rows, kept), done_ids, done_rows

        vector = tf.TensorShape([None])
        *_, ids, rows = tf.while_loop(
            lambda ids, *_: tf.size(ids) > 0, step, (ids, rows, ids[:0], rows[:0]), shape_invariants=(vector,) * 4
        )
        order = tf.argsort(rows, stable=True)
        return tf.gather(ids, order), tf.gather(rows, order)

    def _candidates(self, ids: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the token that each id makes with the next one of its row, and the lowest of the row, int32 [M]."""
        wide = tf.cast(ids, tf.int64)
        keys = tf.bitwise.bitwise_or(tf.bitwise.left_shift(wide[:-1], 32), wide[1:])
        merged = tf.where(tf.equal(rows[:-1], rows[1:]), self._merged.lookup(keys), _NONE)
        # The last id has none after it.
        merged = tf.concat([merged, [_NONE]], axis=0)[: tf.size(ids)]
        _, segments = tf.unique(rows)
        lowest = tf.math.unsorted_segment_min(merged, segments, tf.reduce_max(segments) + 1)
        return merged, tf.gather(lowest, segments)


def _without_overlaps(chosen: tf.Tensor) -> tf.Tensor:
    """Returns every second of consecutive chosen pairs, from the first one on, bool [M] → bool [M]."""
    positions = tf.range(tf.size(chosen))
    begins = chosen & ~_shifted(chosen)
    starts = tf.concat([[0], tf.boolean_mask(positions, begins)], axis=0)
    starts = tf.gather(starts, tf.cumsum(tf.cast(begins, tf.int32)))
    return chosen & tf.equal((positions - starts) % 2, 0)


def _shifted(flags: tf.Tensor) -> tf.Tensor:
    """Returns at each position the flag before it, bool [M] → bool [M]."""
    return tf.concat([[False], flags], axis=0)[:-1]
