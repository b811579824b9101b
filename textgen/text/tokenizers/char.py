"""A token is one Unicode code point."""

import tensorflow as tf

from textgen.text.tokenizers.table import SymbolTable, SymbolTokenizer
from textgen.text.vocabulary import Vocabulary


class CharTokenizer(SymbolTokenizer):
    """ "Ahab" is A, h, a, b. Its symbols are code points, which look up three times as fast as strings."""

    symbol_dtype = tf.int32

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] → ragged int32 [B, (characters)]."""
        return tf.strings.unicode_decode(texts, "UTF-8")

    def token(self, symbol: bytes | int) -> str:
        """The character of a code point."""
        return chr(int(symbol))

    def is_token(self, text: str) -> bool:
        """Whether it is one character."""
        return len(text) == 1

    def table(self, vocabulary: Vocabulary) -> SymbolTable:
        """Code points and their ids."""
        return SymbolTable([ord(token) for token in vocabulary.tokens], vocabulary.tokens, self.symbol_dtype)

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Ragged string [B, (characters)] → string[B], one after the other."""
        return tf.strings.reduce_join(tokens, axis=-1)

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """string[B], each prompt with its continuation right after it."""
        return prompts + continuations
