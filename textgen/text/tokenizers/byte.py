"""Tokenizer with one token per UTF-8 byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textgen.lazy_tensorflow import tf
from textgen.text.tokenizers.symbol_tokenizer import SymbolTokenizer
from textgen.text.vocabulary import Vocabulary, most_frequent

_BYTES = range(256)


class ByteTokenizer(SymbolTokenizer):
    """Splits text into UTF-8 bytes, so that every text has ids: "é!" → <0xC3>, <0xA9>, !."""

    symbol_dtype = "int32"

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts, string [B] → ragged int32 [B, (bytes)]."""
        # In ISO-8859-1 each byte is the code point of its number.
        return tf.strings.unicode_decode(texts, "ISO-8859-1")

    def token(self, symbol: bytes | int) -> str:
        """Returns a visible ASCII character as itself, and another byte as its number: 10 → `<0x0A>`."""
        byte = int(symbol)
        return chr(byte) if 0x20 < byte < 0x7F else f"<0x{byte:02X}>"

    def is_token(self, text: str) -> bool:
        """Returns whether `token` returns this text for some byte."""
        return text in map(self.token, _BYTES)

    def symbols_to_learn(self, size: int) -> int:
        """Returns 256, the number of all symbols."""
        return len(_BYTES)

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Returns all 256 bytes by falling count, including those that do not occur."""
        return most_frequent({self.token(byte): counts.get(self.token(byte), 0) for byte in _BYTES}, len(_BYTES))

    def symbols(self, vocabulary: Vocabulary) -> list[int]:
        """Returns the byte of each token."""
        numbers = {self.token(byte): byte for byte in _BYTES}
        return [numbers[token] for token in vocabulary.tokens]

    def texts(self, vocabulary: Vocabulary) -> list[bytes]:
        """Returns each token as a byte string."""
        return [bytes([symbol]) for symbol in self.symbols(vocabulary)]

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Concatenates bytes, ragged string [B, (bytes)] → string [B]; the result may be invalid UTF-8."""
        return tf.strings.reduce_join(tokens, axis=-1)

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """Returns each prompt directly followed by its continuation, string [B]."""
        return prompts + continuations

    def plain_text(self, prompt: str, tokens: Sequence[str]) -> str:
        """Returns the prompt directly followed by the bytes."""
        numbers = {self.token(byte): bytes([byte]) for byte in _BYTES}
        return prompt + b"".join(numbers.get(token, token.encode()) for token in tokens).decode(errors="replace")
