"""Tokenizers, one per file: they split cleaned text into symbols, map symbols to ids, and join tokens to text.

A symbol is what text is split into before there is a vocabulary: a word, a character or a byte. Symbols are counted
to learn the vocabulary, and each distinct symbol of a batch is looked up once. With most tokenizers a symbol has one
id; with wordpieces and subwords it may have several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from textgen.config import VOCABULARY_FILE, TextConfig
from textgen.config.schema import shown
from textgen.errors import UserError, require
from textgen.lazy_tensorflow import tf
from textgen.text.tokenizers.bpe import BpeTokenizer
from textgen.text.tokenizers.byte import ByteTokenizer
from textgen.text.tokenizers.char import CharTokenizer
from textgen.text.tokenizers.word import WordTokenizer
from textgen.text.tokenizers.wordpiece import WordpieceTokenizer
from textgen.text.vocabulary import Vocabulary


class Table(Protocol):
    """Lookup table between symbols, ids and texts, as graph operations."""

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of symbols [N] as ragged int32 [N, (ids)]; UNK for a symbol without an id."""
        ...

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Returns the text of each id, ragged int32 [B, (T)] → ragged string [B, (T)]."""
        ...


class Encoder(Protocol):
    """Gives symbols their ids, outside of graphs."""

    def encode(self, symbols: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids of symbols, int32 [M], one symbol after another, and the number of each, int64 [N]."""
        ...


class Tokenizer(Protocol):
    """Splits texts into symbols, learns a vocabulary, and joins tokens to texts.

    Attributes:
        symbol_dtype: dtype of symbols, "string" or "int32".
        unknown_word: word of the text that has the id of [UNK] and is in no vocabulary; empty for none.
    """

    symbol_dtype: str
    unknown_word: str

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits cleaned texts, string [B] → ragged symbols [B, (S)]."""
        ...

    def token(self, symbol: bytes | int) -> str:
        """Returns the text of a symbol in the vocabulary file."""
        ...

    def is_token(self, text: str) -> bool:
        """Returns whether a vocabulary given by the user may hold this text."""
        ...

    def symbols_to_learn(self, size: int) -> int:
        """Returns the number of most frequent symbols from which to learn a vocabulary of `size` tokens."""
        ...

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Learns a vocabulary of at most `size` tokens from the counts of symbols, by their text."""
        ...

    def count(self, tokens: Sequence[str], counts: Mapping[str, int]) -> list[int]:
        """Returns the number of occurrences of each token, from the counts of symbols."""
        ...

    def table(self, vocabulary: Vocabulary) -> Table:
        """Returns the lookup table of a vocabulary."""
        ...

    def encoder(self, vocabulary: Vocabulary) -> Encoder | None:
        """Returns an encoder that gives the ids of `table` outside of graphs; None if only the table gives them."""
        ...

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Joins tokens to texts, ragged string [B, (T)] → string [B]."""
        ...

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """Returns each prompt followed by its continuation, string [B] twice → string [B]."""
        ...

    def plain_text(self, prompt: str, tokens: Sequence[str]) -> str | None:
        """Returns a prompt followed by the text of tokens, as `join` and `detokenize` do in a graph.

        Args:
            prompt: the text before the tokens.
            tokens: texts of the vocabulary, or the name of [UNK].

        Returns:
            The text, in which invalid bytes are replaced; None if only a graph can compute it.
        """
        ...


def _word_tokenizer(config: TextConfig) -> WordTokenizer:
    """Returns the word tokenizer; raises UserError if the unknown word is not one word after cleaning."""
    tokenizer = partial(
        WordTokenizer,
        separate_marks=config.punctuation == "separate",
        lines=config.whitespace == "keep" or config.line_ends == "token",
        line_ends=config.line_ends == "token",
        folded=config.case == "fold",
    )
    if not config.unknown_word:
        return tokenizer()
    from textgen.text.cleaning import clean

    with tf.init_scope():
        cleaned = clean(tf.constant([config.unknown_word]), config)
        unknown = cleaned[0].numpy().decode()
        words = tokenizer(unknown_word=unknown).tokenize(cleaned).values.numpy().tolist()
    require(
        words == [unknown.encode()],
        f"unknown word is {config.unknown_word!r}, of which cleaning makes {unknown!r}; it must remain one word. "
        "Use --preset tokenized for a corpus that has such a word, or another --unknown-word.",
    )
    return tokenizer(unknown_word=unknown)


def _sentencepiece_tokenizer(model: bytes) -> Tokenizer:
    # Imported late, since it is a TensorFlow module.
    from textgen.text.tokenizers.sentencepiece import SentencepieceTokenizer

    return SentencepieceTokenizer(model)


_MAKERS: Mapping[str, Callable[[TextConfig, bytes], Tokenizer]] = {
    "word": lambda config, _: _word_tokenizer(config),
    "char": lambda config, _: CharTokenizer(),
    "byte": lambda config, _: ByteTokenizer(),
    "wordpiece": lambda config, _: WordpieceTokenizer(),
    "bpe": lambda config, _: BpeTokenizer(),
    "sentencepiece": lambda config, model: _sentencepiece_tokenizer(model),
}
"""Makes each tokenizer from the settings and the content of its model file, which is empty for most."""


def make_tokenizer(config: TextConfig, model: bytes = b"") -> Tokenizer:
    """Returns the tokenizer that the settings name.

    Args:
        config: the text settings.
        model: content of the tokenizer's model file, for a tokenizer that needs one.

    Raises:
        UserError: the model is damaged, or the unknown word is not one word after cleaning.
    """
    return _MAKERS[config.tokenizer](config, model)


def require_tokens(vocabulary: Vocabulary, tokenizer: Tokenizer, name: str) -> None:
    """Checks that a tokenizer of numbers, such as characters, has a number for each token.

    Raises:
        UserError: a token has no number.
    """
    strange = next((token for token in vocabulary.tokens if not tokenizer.is_token(token)), None)
    if strange is not None:
        raise UserError(
            f"{VOCABULARY_FILE} has {shown(strange)}, which is no token of the {name} tokenizer. Take the "
            f"{VOCABULARY_FILE} of a dataset that was prepared with --tokenizer {name}."
        )
