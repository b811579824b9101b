"""Symbols that are tokens: each has one id, and a graph looks it up."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from textgen.config import RESERVED, UNK
from textgen.text.vocabulary import FIRST_ID, Vocabulary, most_frequent


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


class SymbolTokenizer:
    """What tokenizers have in common of which every symbol is a token."""

    def symbols_to_learn(self, size: int) -> int:
        """As many as there are tokens."""
        return size

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """The most frequent symbols."""
        return most_frequent(counts, size)

    def count(self, tokens: Sequence[str], counts: Mapping[str, int]) -> list[int]:
        """How often each token stands in symbols with these counts."""
        return [counts.get(token, 0) for token in tokens]
