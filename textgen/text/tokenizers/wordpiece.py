"""Tokenizer with one token per word or piece of a word; pieces that continue a word start with ##.

Words are split at white space, and a mark is a piece of its own, so that text with collapsed white space is restored
exactly. Pieces are learned by TensorFlow Text's learner (Schuster & Nakajima 2012, with a threshold on counts instead
of a likelihood). Words are split by the longest match first (Song et al. 2021, arXiv:2012.15524).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textgen.config import RESERVED
from textgen.lazy_tensorflow import tf, tf_text
from textgen.text.tokenizers.pieces import JOINER, piece_text
from textgen.text.tokenizers.word import join_plain_words, join_words
from textgen.text.vocabulary import Vocabulary, most_frequent

if TYPE_CHECKING:
    from textgen.text.tokenizers.piece_table import PieceTable

_WORDS_A_PIECE = 2
"""Number of words to learn from per piece; the learner is slow, and rarer words change little."""

_TOLERANCE = 1.05
"""The search ends when the number of pieces is at most this multiple of the wanted number."""

_LONGEST_PIECE = 16
# Words are learned in parts, since the learner ignores a word longer than the longest piece, with its characters.
_PART = re.compile(rf"\w{{1,{_LONGEST_PIECE}}}|\W")


class WordpieceTokenizer:
    """Splits rare words into pieces: "whales!" → whale, ##s, ##!."""

    symbol_dtype = "string"
    unknown_word = ""

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts into words, string [B] → ragged string [B, (words)]; the table splits words into pieces."""
        return tf_text.WhitespaceTokenizer().tokenize(texts)

    def token(self, symbol: bytes | int) -> str:
        """Returns the word."""
        assert isinstance(symbol, bytes)
        return symbol.decode()

    def is_token(self, text: str) -> bool:
        """Returns whether a text is one word or piece of a word."""
        return text.split() == [text]

    def symbols_to_learn(self, size: int) -> int:
        """Returns ten times `size`, the number of words from which pieces are learned."""
        return 10 * size

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Learns pieces from the counts of words; ids follow the counts of the pieces in these words."""
        pieces = _learn(counts, size)
        if len(pieces) > size:
            pieces = self._select(pieces, counts, size)
        return self._counted(pieces, counts, size)

    def count(self, tokens: Sequence[str], counts: Mapping[str, int]) -> list[int]:
        """Returns the number of occurrences of each piece, from the counts of words."""
        from textgen.text.tokenizers.piece_table import PieceTable

        found = PieceTable(Vocabulary(tuple(tokens), (0,) * len(tokens))).ids(tf.constant(list(counts), tf.string))
        times = tf.repeat(tf.constant(list(counts.values()), tf.int64), found.row_lengths())
        return (
            tf.math.unsorted_segment_sum(times, found.values, len(RESERVED) + len(tokens))
            .numpy()
            .tolist()[len(RESERVED) :]
        )

    def _select(self, pieces: Sequence[str], counts: Mapping[str, int], size: int) -> list[str]:
        """Selects `size` pieces: characters first, since a word with another one is unknown; then by frequency."""
        characters = self._counted([piece for piece in pieces if _is_character(piece)], counts, size).tokens
        ranked = self._counted(pieces, counts, len(pieces)).tokens
        longer = [piece for piece in ranked if not _is_character(piece)]
        return [*characters, *longer[: size - len(characters)]]

    def _counted(self, pieces: Sequence[str], counts: Mapping[str, int], size: int) -> Vocabulary:
        return most_frequent(dict(zip(pieces, self.count(pieces, counts), strict=True)), size)

    def table(self, vocabulary: Vocabulary) -> PieceTable:
        """Returns the lookup table between words and the ids of their pieces."""
        from textgen.text.tokenizers.piece_table import PieceTable

        return PieceTable(vocabulary)

    def encoder(self, vocabulary: Vocabulary) -> None:
        """Returns None, since nothing is faster than the table."""

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Concatenates pieces, ragged string [B, (pieces)] → string [B], without the space before the first word."""
        return tf.strings.regex_replace(tf.strings.reduce_join(tokens, axis=-1), "^ ", "")

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """Joins texts as words, string [B]; a continuation is taken to start with a new word."""
        return join_words(prompts, continuations)

    def plain_text(self, prompt: str, tokens: Sequence[str]) -> str:
        """Returns the prompt, and after a space the text of the pieces."""
        text = "".join(map(piece_text, tokens)).removeprefix(" ")
        return join_plain_words(prompt, text)


def _is_character(piece: str) -> bool:
    return len(piece_text(piece).removeprefix(" ")) == 1


def _learn(counts: Mapping[str, int], size: int) -> list[str]:
    """Learns pieces from the counts of words: at least `size`, or all that there are."""
    firsts, others = Counter[str](), Counter[str]()
    for word, count in counts.items():
        first, *rest = _PART.findall(word)
        firsts[first] += count
        for part in rest:
            others[part] += count
    begin, go_on = (most_frequent(parts, _WORDS_A_PIECE * size) for parts in (firsts, others))
    # Bounds of the binary search for the smallest count of a piece.
    lowest, highest = min(begin.counts[-1:] + go_on.counts[-1:]), begin.counts[: size // 4 + 1][-1]
    pieces: list[str] = []
    while lowest <= highest and not size <= len(pieces) <= _TOLERANCE * size:
        threshold = (lowest + highest) // 2
        found = _pieces(begin, threshold)
        # Parts after the first one are learned as words, so their pieces get the prefix here.
        for piece in _pieces(go_on, threshold):
            found |= {JOINER + piece.removeprefix(JOINER)} | ({piece} if _is_character(piece) else set())
        if len(found) >= size:
            pieces, lowest = sorted(found), threshold + 1
        else:
            pieces, highest = max(pieces, sorted(found), key=len), threshold - 1
    return pieces


def _pieces(parts: Vocabulary, threshold: int) -> set[str]:
    """Returns all characters, and the pieces that occur `threshold` times outside longer pieces."""
    from tensorflow_text.tools.wordpiece_vocab.wordpiece_tokenizer_learner_lib import learn

    if not parts.tokens:
        return set()
    return set(
        learn(
            list(zip(parts.tokens, parts.counts, strict=True)),
            vocab_size=1,
            reserved_tokens=[],
            lower_thresh=threshold,
            upper_thresh=threshold,
            num_iterations=3,
            max_token_length=_LONGEST_PIECE,
            joiner=JOINER,
        )
    )
