"""Tokenizer with one token per word, and per punctuation mark if these are separated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from textgen.lazy_tensorflow import tf
from textgen.text.tokenizers.symbol_tokenizer import SymbolTokenizer
from textgen.text.vocabulary import Vocabulary, most_frequent

LINE_END = "\n"

# Joiners belong to words, and a zero-width space separates them.
_MARK = r"[^ \n\t\x{200b}\pL\pM\pN'’\x{200c}\x{200d}\x{180e}]"
_SYMBOL = r"[\p{So}\p{Sm}\x{203c}\x{2049}\x{3030}]"
_SELECTOR = r"[\x{fe00}-\x{fe0f}]"
_MODIFIED = f"{_SYMBOL}[\\x{{1f3fb}}-\\x{{1f3ff}}]?{_SELECTOR}?"
_EMOJI = f"{_MODIFIED}(?:\\x{{200d}}{_MODIFIED})+|{_SYMBOL}{_SELECTOR}|\\x{{1f3f4}}[\\x{{e0020}}-\\x{{e007f}}]+"
# An apostrophe within a word belongs to it; one at its start or end is a quotation mark.
_EDGE_APOSTROPHES = r"(?:^|[ \n\t])['’][ '’]*|['’]+(?:$|[ \n\t])[ '’]*"

_CLOSING = r" ([.,;:!?%)\]}’”]+)"
_OPENING = r"([(\[{‘“]+) "
_WORD_WITH_SIGMA = r"([\pL\pM]['’\pL\pM]*)σ($|[^\pL\pM\pN'’])"


class WordTokenizer(SymbolTokenizer):
    """Splits text into words: "don't stop!" → don't, stop, ! with separate marks, or don't, stop! without."""

    symbol_dtype = "string"

    def __init__(
        self,
        *,
        separate_marks: bool,
        lines: bool = True,
        line_ends: bool = False,
        unknown_word: str = "",
        folded: bool = False,
    ):
        r"""Sets how texts are split.

        Args:
            separate_marks: whether a punctuation mark is a token of its own.
            lines: whether texts may contain `\n` and `\t`.
            line_ends: whether `\n` is a token of its own.
            unknown_word: word that has the id of [UNK] and is never in a vocabulary; empty for none.
            folded: whether texts are folded, so that joined words get their final sigmas back.
        """
        self._separate_marks, self._lines, self._line_ends = separate_marks, lines, line_ends
        self.unknown_word, self._folded = unknown_word, folded

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts, string [B] → ragged string [B, (words)]."""
        if self._separate_marks:
            texts = separate_marks(texts, whole=self.unknown_word)
        if self._line_ends:
            texts = tf.strings.regex_replace(texts, r"\n", r" \0 ")
        if self._lines:
            white = r"[\t\x{200b}]" if self._line_ends else r"[\n\t\x{200b}]"
            texts = tf.strings.regex_replace(texts, white, " ")
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
        """Returns whether a text is one word, or a line end that is a token; the unknown word is not."""
        return (text.split() == [text] and text != self.unknown_word) or (self._line_ends and text == LINE_END)

    def symbols_to_learn(self, size: int) -> int:
        """Returns `size`, and one more where one of the symbols is the unknown word."""
        return size + bool(self.unknown_word)

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Returns the vocabulary of the `size` most frequent words, without the unknown word."""
        return most_frequent({word: count for word, count in counts.items() if word != self.unknown_word}, size)

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Joins words by spaces, except before closing and after opening marks: "(", "see", ")", "." → "(see).".

        Straight quotation marks and dashes keep both spaces, since they may belong to either side. A token that is a
        line end becomes one. The last σ of a word whose case was folded becomes ς.

        Args:
            tokens: ragged string [B, (words)].

        Returns:
            string [B].
        """
        texts = tf.strings.reduce_join(tokens, axis=-1, separator=" ")
        if self._separate_marks:
            texts = tf.strings.regex_replace(tf.strings.regex_replace(texts, _CLOSING, r"\1"), _OPENING, r"\1")
        if self._line_ends:
            texts = tf.strings.regex_replace(texts, r" ?\n ?", "\n")
        return tf.strings.regex_replace(texts, _WORD_WITH_SIGMA, r"\1ς\2") if self._folded else texts

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """Joins texts as words, string [B], without a space before a closing mark."""
        attached = r"\n" + (f"|{_CLOSING.lstrip()}" if self._separate_marks else "")
        attaches = tf.strings.regex_full_match(continuations, f"(?s)(?:{attached}).*")
        return tf.where(attaches, prompts + continuations, join_words(prompts, continuations))

    def plain_text(self, prompt: str, tokens: Sequence[str]) -> str | None:
        """Returns the prompt and the words; None if a word has a σ, whose form a graph finds."""
        if self._folded and any("σ" in token for token in tokens):
            return None
        text = " ".join(tokens)
        if self._separate_marks:
            text = re.sub(_OPENING, r"\1", re.sub(_CLOSING, r"\1", text))
        if self._line_ends:
            text = re.sub(r" ?\n ?", "\n", text)
        attached = text[:1] == "\n" or (self._separate_marks and re.match(_CLOSING.lstrip(), text))
        return prompt + text if attached else join_plain_words(prompt, text)


def join_plain_words(prompt: str, continuation: str) -> str:
    """Joins two texts as `join_words` does."""
    attached = not prompt or prompt[-1] in " \t\n\f\r" or not continuation
    return prompt + continuation if attached else f"{prompt} {continuation}"


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


def separate_marks(texts: tf.Tensor, *, whole: str = "") -> tf.Tensor:
    """Puts spaces around marks and symbols, except apostrophes within words: "I can't!" → "I can't ! ".

    An emoji of several symbols or with a variation selector is one symbol.

    Args:
        texts: string [B].
        whole: word whose marks are not separated from it; empty for none.

    Returns:
        string [B].
    """
    # A word of letters is whole, and need not be set apart from the letters beside it.
    word = f"{re.escape(whole)}|" if whole and not whole.isalnum() else ""
    texts = tf.strings.regex_replace(texts, f"{word}{_EMOJI}|{_MARK}", r" \0 ")
    return tf.strings.regex_replace(texts, _EDGE_APOSTROPHES, r" \0 ")
