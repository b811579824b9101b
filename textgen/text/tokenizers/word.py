"""A token is a word, or a mark of punctuation where marks are kept apart."""

import tensorflow as tf

from textgen.text.tokenizers.table import SymbolTable, SymbolTokenizer
from textgen.text.vocabulary import Vocabulary

_MARK = r"[^ \n\t\pL\pM\pN'’]"
# An apostrophe inside a word belongs to it; one at a word's edge is a quotation mark.
_EDGE_APOSTROPHES = r"(?:^|[ \n\t])['’][ '’]*|['’]+(?:$|[ \n\t])[ '’]*"

_CLOSING = r" ([.,;:!?%)\]}’”]+)"
_OPENING = r"([(\[{‘“]+) "


class WordTokenizer(SymbolTokenizer):
    """ "don't stop!" is don't, stop, ! with marks apart, and don't, stop! without."""

    symbol_dtype = tf.string

    def __init__(self, *, separate_marks: bool, lines: bool = True):
        """`lines`: whether texts may hold other white space than the plain space."""
        self._separate_marks, self._lines = separate_marks, lines

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] → ragged string [B, (words)]."""
        if self._separate_marks:
            texts = separate_marks(texts)
        if self._lines:
            texts = tf.strings.regex_replace(texts, r"[\n\t]", " ")
        # Cleaned text has no other white space. `tf.strings.split` and WhitespaceTokenizer take longer.
        words = tf.raw_ops.StringSplit(input=texts, delimiter=" ", skip_empty=True)
        return tf.RaggedTensor.from_value_rowids(
            words.values, words.indices[:, 0], nrows=words.shape[0], validate=False
        )

    def token(self, symbol: bytes | int) -> str:
        """The word itself."""
        assert isinstance(symbol, bytes)
        return symbol.decode()

    def is_token(self, text: str) -> bool:
        """Whether it is one word."""
        return text.split() == [text]

    def table(self, vocabulary: Vocabulary) -> SymbolTable:
        """Words and their ids."""
        return SymbolTable(vocabulary.tokens, vocabulary.tokens, self.symbol_dtype)

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Ragged string [B, (words)] → string[B], one space between words and none where print has none.

        Straight quotation marks and dashes keep both their spaces, since either side may be the word's.
        """
        texts = tf.strings.reduce_join(tokens, axis=-1, separator=" ")
        if not self._separate_marks:
            return texts
        return tf.strings.regex_replace(tf.strings.regex_replace(texts, _CLOSING, r"\1"), _OPENING, r"\1")

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """string[B], as words are joined, but for marks that print has no space before."""
        joined = join_words(prompts, continuations)
        if not self._separate_marks:
            return joined
        closing = tf.strings.regex_full_match(continuations, f"(?s){_CLOSING.lstrip()}.*")
        return tf.where(closing, prompts + continuations, joined)


def join_words(prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
    """string[B], a space between a prompt and its continuation unless either has none to part from the other."""
    attached = tf.strings.regex_full_match(prompts, r"(?s)|.*\s") | tf.equal(continuations, "")
    return tf.strings.join([prompts, tf.where(attached, "", " "), continuations])


def separate_marks(texts: tf.Tensor) -> tf.Tensor:
    """Puts spaces around every mark and symbol, except an apostrophe inside a word ("rock'n'roll")."""
    texts = tf.strings.regex_replace(texts, _MARK, r" \0 ")
    return tf.strings.regex_replace(texts, _EDGE_APOSTROPHES, r" \0 ")
