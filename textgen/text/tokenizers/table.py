"""Base of the tokenizers in which every symbol is one token."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from textgen.config import RESERVED, UNK
from textgen.text.vocabulary import FIRST_ID, Vocabulary, most_frequent


class SymbolTable(tf.Module):
    """Lookup table in which each symbol has one id."""

    def __init__(
        self,
        symbols: Sequence[str] | Sequence[int],
        texts: Sequence[str] | Sequence[bytes],
        dtype: tf.DType,
        *,
        unknown: str = RESERVED[UNK],
    ):
        """Builds the table.

        Args:
            symbols: the symbols; `symbols[i]` has the id `i + 4`.
            texts: the text of each.
            dtype: dtype of the symbols, string or int32.
            unknown: text of the id UNK.
        """
        super().__init__()
        reserved = [unknown if text == RESERVED[UNK] else text for text in RESERVED]
        self._texts = tf.concat([tf.constant(reserved), tf.constant(texts, tf.string, [len(texts)])], axis=0)
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(symbols, dtype), tf.range(FIRST_ID, FIRST_ID + len(symbols), dtype=tf.int32)
            ),
            default_value=UNK,
        )

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of symbols [N] as ragged int32 [N, (1)]; UNK for a symbol without an id."""
        ids = self._ids.lookup(symbols)
        return tf.RaggedTensor.from_row_splits(ids, tf.range(tf.size(ids, tf.int64) + 1), validate=False)

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Returns the text of each id, ragged int32 [B, (T)] → ragged string [B, (T)]."""
        return ids.with_flat_values(tf.gather(self._texts, ids.flat_values))


class SymbolTokenizer:
    """Learns and counts tokens that are symbols; subclasses split and join texts."""

    unknown_word: str = ""

    def symbols_to_learn(self, size: int) -> int:
        """Returns `size`, since each symbol is one token."""
        return size

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Returns the vocabulary of the `size` most frequent symbols."""
        return most_frequent(counts, size)

    def count(self, tokens: Sequence[str], counts: Mapping[str, int]) -> list[int]:
        """Returns the count of each token, 0 for one that does not occur."""
        return [counts.get(token, 0) for token in tokens]

    def encoder(self, vocabulary: Vocabulary) -> None:
        """Returns None, since nothing is faster than the table."""
