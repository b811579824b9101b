"""Lookup table between words and their pieces, as graph operations."""

import tensorflow as tf
import tensorflow_text as tf_text

from textgen.config import RESERVED
from textgen.text.tokenizers.pieces import is_suffix, piece_text
from textgen.text.vocabulary import Vocabulary

_CONTROL = "\x1f"
_LONGEST_WORD_BYTES = 1 << 20


class PieceTable(tf.Module):
    """Lookup table in which a word has the ids of its pieces."""

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        self._texts = tf.constant([piece_text(piece) for piece in vocabulary.texts])
        # An id is an index into this list. No word contains a space or a control character, so that no word is taken
        # for a reserved id, nor the word "##s" for a piece.
        self._pieces = tf_text.FastWordpieceTokenizer(
            [f" {piece}" for piece in RESERVED]
            + [_CONTROL + piece_text(piece) if is_suffix(piece) else piece for piece in vocabulary.tokens],
            suffix_indicator=_CONTROL,
            max_bytes_per_word=_LONGEST_WORD_BYTES,
            token_out_type=tf.int32,
            unknown_token=" [UNK]",
            no_pretokenization=True,
        )

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of words, string [N] → ragged int32 [N, (pieces)]; UNK for a word that can't be split."""
        return self._pieces.tokenize(symbols)

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Returns the text of each id, ragged int32 [B, (T)] → ragged string [B, (T)]; a first piece has a space."""
        return ids.with_flat_values(tf.gather(self._texts, ids.flat_values))
