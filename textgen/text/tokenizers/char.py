"""A token is one Unicode code point."""

import tensorflow as tf


class CharTokenizer:
    """ "Ahab" is A, h, a, b. Its symbols are code points, which look up three times as fast as strings."""

    symbol_dtype = tf.int32

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] → ragged int32 [B, (characters)]."""
        return tf.strings.unicode_decode(texts, "UTF-8")

    def symbol(self, token: str) -> int:
        """The code point of a character."""
        return ord(token)

    def token(self, symbol: bytes | int) -> str:
        """The character of a code point."""
        return chr(int(symbol))

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Ragged string [B, (characters)] → string[B], one after the other."""
        return tf.strings.reduce_join(tokens, axis=-1)

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """string[B], each prompt with its continuation right after it."""
        return prompts + continuations
