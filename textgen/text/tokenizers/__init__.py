"""One tokenizer a file. A tokenizer cuts cleaned text into symbols, gives symbols their ids, and joins tokens again.

A symbol is what text is cut into before any vocabulary is known: a word, a character, a byte. It is counted, and
looked up once for all the places where it stands. Most tokenizers give it one id; wordpieces are several.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import tensorflow as tf

from textgen.config import TextConfig
from textgen.text.tokenizers.byte import ByteTokenizer
from textgen.text.tokenizers.char import CharTokenizer
from textgen.text.tokenizers.sentencepiece import SentencepieceTokenizer
from textgen.text.tokenizers.word import WordTokenizer
from textgen.text.tokenizers.wordpiece import WordpieceTokenizer
from textgen.text.vocabulary import Vocabulary


class Table(Protocol):
    """What a vocabulary is inside a graph."""

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Symbols [N] → ragged int32 [N, (ids)], UNK where there is none."""
        ...

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Ragged int32 [B, (tokens)] → ragged string [B, (tokens)]."""
        ...


class Tokenizer(Protocol):
    """Cuts and joins batches of texts."""

    symbol_dtype: tf.DType

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] of cleaned texts → ragged symbols [B, (symbols)]."""
        ...

    def token(self, symbol: bytes | int) -> str:
        """How a vocabulary file writes a symbol."""
        ...

    def is_token(self, text: str) -> bool:
        """Whether a vocabulary that a user brings may hold this."""
        ...

    def symbols_to_learn(self, size: int) -> int:
        """How many of the most frequent symbols a vocabulary of `size` tokens is learned from."""
        ...

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """The vocabulary of symbols with these counts, of `size` tokens at the most."""
        ...

    def count(self, tokens: Sequence[str], counts: Mapping[str, int]) -> list[int]:
        """How often each token stands in symbols with these counts."""
        ...

    def table(self, vocabulary: Vocabulary) -> Table:
        """The vocabulary inside a graph."""
        ...

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Ragged string [B, (tokens)] → string[B]."""
        ...

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """string[B], each prompt with its continuation after it."""
        ...


_MAKERS: Mapping[str, Callable[[TextConfig, bytes], Tokenizer]] = {
    "word": lambda config, _: WordTokenizer(
        separate_marks=config.punctuation == "separate", lines=config.whitespace == "keep"
    ),
    "char": lambda config, _: CharTokenizer(),
    "byte": lambda config, _: ByteTokenizer(),
    "wordpiece": lambda config, _: WordpieceTokenizer(),
    "sentencepiece": lambda config, model: SentencepieceTokenizer(model),
}
"""Makes each tokenizer from the settings and the content of its model file, which is empty for most."""


def make_tokenizer(config: TextConfig, model: bytes = b"") -> Tokenizer:
    """Returns the tokenizer that the settings name.

    Args:
        config: the text settings.
        model: content of the tokenizer's model file, for a tokenizer that needs one.

    Raises:
        UserError: the model is damaged.
    """
    return _MAKERS[config.tokenizer](config, model)
