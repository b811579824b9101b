"""One tokenizer a file. A tokenizer cuts cleaned text into symbols and joins tokens to text again."""

from typing import Protocol

import tensorflow as tf

from textgen.config import TextConfig
from textgen.text.tokenizers.char import CharTokenizer
from textgen.text.tokenizers.word import WordTokenizer


class Tokenizer(Protocol):
    """Cuts and joins batches of texts; symbols are what a vocabulary counts, tokens are their texts."""

    symbol_dtype: tf.DType

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] of cleaned texts → ragged symbols [B, (tokens)]."""
        ...

    def symbol(self, token: str) -> str | int:
        """The symbol whose text is `token`."""
        ...

    def token(self, symbol: bytes | int) -> str:
        """The text of a symbol."""
        ...

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Ragged string [B, (tokens)] → string[B]."""
        ...

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """string[B], each prompt with its continuation after it."""
        ...


def make_tokenizer(config: TextConfig) -> Tokenizer:
    """The tokenizer that the config names."""
    if config.tokenizer == "char":
        return CharTokenizer()
    return WordTokenizer(separate_marks=config.punctuation == "separate")
