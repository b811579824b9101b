"""Symbols to ids and ids to texts, inside a graph."""

from collections.abc import Sequence

import tensorflow as tf

from textgen.config import RESERVED, UNK
from textgen.text.vocabulary import FIRST_ID


class SymbolTable(tf.Module):
    """A table in which each symbol has one id."""

    def __init__(
        self, symbols: Sequence[str] | Sequence[int], texts: Sequence[str] | Sequence[bytes], dtype: tf.DType
    ):
        """`symbols[i]` has the id `i + 4` and the text `texts[i]`."""
        super().__init__()
        self._texts = tf.concat([tf.constant(RESERVED), tf.constant(texts, tf.string, [len(texts)])], axis=0)
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(symbols, dtype), tf.range(FIRST_ID, FIRST_ID + len(symbols), dtype=tf.int32)
            ),
            default_value=UNK,
        )

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Symbols [N] → ragged int32 [N, 1], UNK for those without an id."""
        ids = self._ids.lookup(symbols)
        return tf.RaggedTensor.from_row_splits(ids, tf.range(tf.size(ids, tf.int64) + 1), validate=False)

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Ragged int32 [B, (tokens)] → ragged string [B, (tokens)]."""
        return ids.with_flat_values(tf.gather(self._texts, ids.flat_values))
