"""The one way from raw text to token ids and back, for training data and for prompts alike."""

from typing import NamedTuple

import tensorflow as tf

from textgen.config import EOS, UNK, TextConfig
from textgen.text.cleaning import clean
from textgen.text.tokenizers import make_tokenizer
from textgen.text.vocabulary import Vocabulary, VocabularyTable

_TEXTS = tf.TensorSpec([None], tf.string, "texts")


class Tokens(NamedTuple):
    """A batch of B documents with T tokens in all.

    Attributes:
        cleaned: string[B], the texts that were cut into tokens.
        characters: int32[B], how many code points they have.
        flat: [T], the tokens of all documents on end; symbols, or int32 ids.
        lengths: int64[B], how many tokens each document has.
    """

    cleaned: tf.Tensor
    characters: tf.Tensor
    flat: tf.Tensor
    lengths: tf.Tensor


class Analyzer(tf.Module):
    """Cleans and cuts text; what a vocabulary is counted from."""

    def __init__(self, config: TextConfig):
        super().__init__()
        self.config = config
        self.tokenizer = make_tokenizer(config)

    @tf.function(input_signature=[_TEXTS])
    def symbols(self, texts: tf.Tensor) -> Tokens:
        """string[B] of UTF-8 → Tokens of symbols."""
        cleaned = clean(texts, self.config)
        return _tokens(cleaned, self.tokenizer.tokenize(cleaned))


class Preprocessor(Analyzer):
    """Cleans and cuts text, looks its tokens up, and joins ids to text again."""

    def __init__(self, config: TextConfig, vocabulary: Vocabulary):
        super().__init__(config)
        self.vocabulary = vocabulary
        self._table = VocabularyTable(vocabulary, self.tokenizer)

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] of UTF-8 → ragged int32 [B, (tokens)], without [BOS] and [EOS]."""
        return self._ids(clean(texts, self.config))

    @tf.function(input_signature=[_TEXTS])
    def tokens(self, texts: tf.Tensor) -> Tokens:
        """`encode`, with the cleaned texts beside the ids."""
        cleaned = clean(texts, self.config)
        return _tokens(cleaned, self._ids(cleaned))

    def decode(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Ragged int32 [B, (tokens)] → string[B]; reserved ids other than [UNK] have no text."""
        ids = tf.ragged.boolean_mask(ids, (ids > EOS) | tf.equal(ids, UNK))
        return self.tokenizer.detokenize(self._table.texts(ids))

    def _ids(self, cleaned: tf.Tensor) -> tf.RaggedTensor:
        ids = self._table.ids(self.tokenizer.tokenize(cleaned))
        if self.config.unknown == "drop":
            ids = tf.ragged.boolean_mask(ids, tf.not_equal(ids, UNK))
        return ids


def _tokens(cleaned: tf.Tensor, ragged: tf.RaggedTensor) -> Tokens:
    return Tokens(cleaned, tf.strings.length(cleaned, "UTF8_CHAR"), ragged.flat_values, ragged.row_lengths())
