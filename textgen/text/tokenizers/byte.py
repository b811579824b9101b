"""A token is one byte of the text's UTF-8, so that no text is unknown."""

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_text as tf_text

from textgen.text.tokenizers.table import SymbolTable, SymbolTokenizer
from textgen.text.vocabulary import Vocabulary, most_frequent

_BYTES = range(256)


class ByteTokenizer(SymbolTokenizer):
    """ "é!" is <0xC3>, <0xA9>, !."""

    symbol_dtype = tf.int32

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] → ragged int32 [B, (bytes)]."""
        return tf.cast(tf_text.ByteSplitter().split(texts), tf.int32)

    def token(self, symbol: bytes | int) -> str:
        """A character of ASCII that shows, or the byte's number, as `<0x0A>`."""
        byte = int(symbol)
        return chr(byte) if 0x20 < byte < 0x7F else f"<0x{byte:02X}>"

    def is_token(self, text: str) -> bool:
        """Whether it is what `token` writes."""
        return text in map(self.token, _BYTES)

    def symbols_to_learn(self, size: int) -> int:
        """All."""
        return len(_BYTES)

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """All bytes, those that the training text lacks too."""
        return most_frequent({self.token(byte): counts.get(self.token(byte), 0) for byte in _BYTES}, len(_BYTES))

    def table(self, vocabulary: Vocabulary) -> SymbolTable:
        """Bytes and their ids."""
        numbers = {self.token(byte): byte for byte in _BYTES}
        symbols = [numbers[token] for token in vocabulary.tokens]
        return SymbolTable(symbols, [bytes([symbol]) for symbol in symbols], self.symbol_dtype)

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Ragged string [B, (bytes)] → string[B], one after the other; a model may write what is no UTF-8."""
        return tf.strings.reduce_join(tokens, axis=-1)

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """string[B], each prompt with its continuation right after it."""
        return prompts + continuations
