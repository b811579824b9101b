"""Tokenizer with one token per word, and per punctuation mark if these are separated."""

import tensorflow as tf

from textgen.text.tokenizers.table import SymbolTable, SymbolTokenizer
from textgen.text.vocabulary import Vocabulary

_MARK = r"[^ \n\t\pL\pM\pN'’]"
# An apostrophe within a word belongs to it; one at its start or end is a quotation mark.
_EDGE_APOSTROPHES = r"(?:^|[ \n\t])['’][ '’]*|['’]+(?:$|[ \n\t])[ '’]*"

_CLOSING = r" ([.,;:!?%)\]}’”]+)"
_OPENING = r"([(\[{‘“]+) "


class WordTokenizer(SymbolTokenizer):
    """Splits text into words: "don't stop!" → don't, stop, ! with separate marks, or don't, stop! without."""

    symbol_dtype = tf.string

    def __init__(self, *, separate_marks: bool, lines: bool = True):
        r"""Sets how texts are split.

        Args:
            separate_marks: whether a punctuation mark is a token of its own.
            lines: whether texts may contain `\n` and `\t`.
        """
        self._separate_marks, self._lines = separate_marks, lines

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts, string [B] → ragged string [B, (words)]."""
        if self._separate_marks:
            texts = separate_marks(texts)
        if self._lines:
            texts = tf.strings.regex_replace(texts, r"[\n\t]", " ")
        # Cleaned text has no other white space. `tf.strings.split` and WhitespaceTokenizer are slower.
        words = tf.raw_ops.StringSplit(input=texts, delimiter=" ", skip_empty=True)
        return tf.RaggedTensor.from_value_rowids(
            words.values, words.indices[:, 0], nrows=words.shape[0], validate=False
        )

    def token(self, symbol: bytes | int) -> str:
        """Returns the word."""
        assert isinstance(symbol, bytes)
        return symbol.decode()

    def is_token(self, text: str) -> bool:
        """Returns whether a text is one word."""
        return text.split() == [text]

    def table(self, vocabulary: Vocabulary) -> SymbolTable:
        """Returns the lookup table between words and ids."""
        return SymbolTable(vocabulary.tokens, vocabulary.tokens, self.symbol_dtype)

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Joins words by spaces, except before closing and after opening marks: "(", "see", ")", "." → "(see).".

        Straight quotation marks and dashes keep both spaces, since they may belong to either side.

        Args:
            tokens: ragged string [B, (words)].

        Returns:
            string [B].
        """
        texts = tf.strings.reduce_join(tokens, axis=-1, separator=" ")
        if not self._separate_marks:
            return texts
        return tf.strings.regex_replace(tf.strings.regex_replace(texts, _CLOSING, r"\1"), _OPENING, r"\1")

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """Joins texts as words, string [B], without a space before a closing mark."""
        joined = join_words(prompts, continuations)
        if not self._separate_marks:
            return joined
        closing = tf.strings.regex_full_match(continuations, f"(?s){_CLOSING.lstrip()}.*")
        return tf.where(closing, prompts + continuations, joined)


def join_words(prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
    """Joins each prompt and its continuation by a space: "Call me" + "Ishmael" → "Call me Ishmael".

    There is no space if the prompt is empty or ends with white space, or if the continuation is empty.

    Args:
        prompts: string [B].
        continuations: string [B].

    Returns:
        string [B].
    """
    attached = tf.strings.regex_full_match(prompts, r"(?s)|.*\s") | tf.equal(continuations, "")
    return tf.strings.join([prompts, tf.where(attached, "", " "), continuations])


def separate_marks(texts: tf.Tensor) -> tf.Tensor:
    """Puts spaces around marks and symbols, except apostrophes within words: "I can't!" → "I can't ! ".

    string [B] → string [B].
    """
    texts = tf.strings.regex_replace(texts, _MARK, r" \0 ")
    return tf.strings.regex_replace(texts, _EDGE_APOSTROPHES, r" \0 ")
