"""Lookup table in which each symbol has one id, as graph operations."""

from collections.abc import Sequence

import tensorflow as tf

from textgen.config import RESERVED, UNK
from textgen.text.vocabulary import FIRST_ID


class SymbolTable(tf.Module):
    """Lookup table in which each symbol has one id."""

    def __init__(
        self,
        symbols: Sequence[str] | Sequence[int],
        texts: Sequence[str] | Sequence[bytes],
        dtype: tf.DType | str,
        *,
        unknown: str = "",
    ):
        """Builds the table.

        Args:
            symbols: the symbols; `symbols[i]` has the id `i + 4`.
            texts: the text of each.
            dtype: dtype of the symbols, string or int32.
            unknown: text of the id UNK; empty for that of the reserved id.
        """
        super().__init__()
        reserved = [unknown or text if text == RESERVED[UNK] else text for text in RESERVED]
        ids = tf.range(FIRST_ID, FIRST_ID + len(symbols), dtype=tf.int32)
        self._texts = tf.concat([tf.constant(reserved), tf.constant(texts, tf.string, [len(texts)])], axis=0)
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(symbols, dtype, [len(symbols)]), ids),
            default_value=UNK,
        )

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of symbols [N] as ragged int32 [N, (1)]; UNK for a symbol without an id."""
        ids = self._ids.lookup(symbols)
        return tf.RaggedTensor.from_row_splits(ids, tf.range(tf.size(ids, tf.int64) + 1), validate=False)

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Returns the text of each id, ragged int32 [B, (T)] → ragged string [B, (T)]."""
        return ids.with_flat_values(tf.gather(self._texts, ids.flat_values))
