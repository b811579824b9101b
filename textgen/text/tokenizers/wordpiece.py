"""A token is a word or a piece of one; pieces that go on with a word begin with ##.

Words are what white space parts, and a mark is a piece of its own, so that text whose white space is collapsed comes
back as it was. Pieces are learned by TensorFlow Text's learner (Schuster & Nakajima 2012, with a threshold on the
counts in place of a likelihood) and found by longest match first (Song et al. 2021, arXiv:2012.15524).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from textgen.config import RESERVED
from textgen.text.tokenizers.word import join_words
from textgen.text.vocabulary import Vocabulary, most_frequent

JOINER = "##"
_CONTROL = "\x1f"

_WORDS_A_PIECE = 2
"""The learner is Python and slow, and words much rarer than the rarest piece change little."""

_ENOUGH = 1.05
"""So many times the pieces that are wanted end the search for them."""

_LONGEST_PIECE = 16
_LONGEST_WORD_BYTES = 1 << 20
# The learner leaves out a word longer than the longest piece, and its characters with it.
_PART = re.compile(rf"\w{{1,{_LONGEST_PIECE}}}|\W")


class WordpieceTokenizer:
    """ "whales!" is whale, ##s, ##! where "whales" is rare."""

    symbol_dtype = tf.string

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] → ragged string [B, (words)]; the table knows the pieces of a word."""
        return tf_text.WhitespaceTokenizer().tokenize(texts)

    def token(self, symbol: bytes | int) -> str:
        """The word itself."""
        assert isinstance(symbol, bytes)
        return symbol.decode()

    def is_token(self, text: str) -> bool:
        """Whether it is one word, or a piece of one."""
        return text.split() == [text]

    def symbols_to_learn(self, size: int) -> int:
        """More words than there will be pieces."""
        return 10 * size

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Pieces learned from words, by their frequency in these."""
        pieces = _learn(counts, size)
        if len(pieces) > size:
            pieces = self._chosen(pieces, counts, size)
        return self._counted(pieces, counts, size)

    def count(self, tokens: Sequence[str], counts: Mapping[str, int]) -> list[int]:
        """How often each piece stands in words with these counts."""
        found = PieceTable(Vocabulary(tuple(tokens), (0,) * len(tokens))).ids(tf.constant(list(counts), tf.string))
        times = tf.repeat(tf.constant(list(counts.values()), tf.int64), found.row_lengths())
        return (
            tf.math.unsorted_segment_sum(times, found.values, len(RESERVED) + len(tokens))
            .numpy()
            .tolist()[len(RESERVED) :]
        )

    def _chosen(self, pieces: Sequence[str], counts: Mapping[str, int], size: int) -> list[str]:
        """The characters first, since a word that has one without a piece is unknown, then the most frequent."""
        characters = self._counted([piece for piece in pieces if _is_character(piece)], counts, size).tokens
        ranked = self._counted(pieces, counts, len(pieces)).tokens
        longer = [piece for piece in ranked if not _is_character(piece)]
        return [*characters, *longer[: size - len(characters)]]

    def _counted(self, pieces: Sequence[str], counts: Mapping[str, int], size: int) -> Vocabulary:
        return most_frequent(dict(zip(pieces, self.count(pieces, counts), strict=True)), size)

    def table(self, vocabulary: Vocabulary) -> "PieceTable":
        """Pieces and their ids."""
        return PieceTable(vocabulary)

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Ragged string [B, (pieces)] → string[B]; pieces have the space before their word, less the first."""
        return tf.strings.regex_replace(tf.strings.reduce_join(tokens, axis=-1), "^ ", "")

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """string[B], as words are joined: a continuation is taken to begin with a word, not to go on with one."""
        return join_words(prompts, continuations)


class PieceTable(tf.Module):
    """A table in which a word has the ids of its pieces."""

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        self._texts = tf.constant([_text(piece) for piece in vocabulary.texts])
        # No word holds a space or a control character, so none is taken for a reserved id, nor "##s" for a piece; the
        # place in the list is the id.
        self._pieces = tf_text.FastWordpieceTokenizer(
            [f" {piece}" for piece in RESERVED]
            + [_CONTROL + _text(piece) if _goes_on(piece) else piece for piece in vocabulary.tokens],
            suffix_indicator=_CONTROL,
            max_bytes_per_word=_LONGEST_WORD_BYTES,
            token_out_type=tf.int32,
            unknown_token=" [UNK]",
            no_pretokenization=True,
        )

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Words [N] → ragged int32 [N, (pieces)], one UNK for a word that has a character without a piece."""
        return self._pieces.tokenize(symbols)

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Ragged int32 [B, (pieces)] → ragged string [B, (pieces)], with a space before those that begin a word."""
        return ids.with_flat_values(tf.gather(self._texts, ids.flat_values))


def _goes_on(piece: str) -> bool:
    """Whether a piece goes on with a word: two marks alone are a word."""
    return piece.startswith(JOINER) and piece != JOINER


def _text(piece: str) -> str:
    return piece.removeprefix(JOINER) if _goes_on(piece) else f" {piece}"


def _is_character(piece: str) -> bool:
    return len(_text(piece).removeprefix(" ")) == 1


def _learn(counts: Mapping[str, int], size: int) -> list[str]:
    """`size` pieces or a few more, where the words have so many."""
    firsts, others = Counter[str](), Counter[str]()
    for word, count in counts.items():
        first, *rest = _PART.findall(word)
        firsts[first] += count
        for part in rest:
            others[part] += count
    begin, go_on = (most_frequent(parts, _WORDS_A_PIECE * size) for parts in (firsts, others))
    # A piece is kept from a count on that lies between these two.
    lowest, highest = min(begin.counts[-1:] + go_on.counts[-1:]), begin.counts[: size // 4 + 1][-1]
    pieces: list[str] = []
    while lowest <= highest and not size <= len(pieces) <= _ENOUGH * size:
        threshold = (lowest + highest) // 2
        found = _pieces(begin, threshold)
        # After a mark a part is learned as if it began a word, and is then made what it is.
        for piece in _pieces(go_on, threshold):
            found |= {JOINER + piece.removeprefix(JOINER)} | ({piece} if _is_character(piece) else set())
        if len(found) >= size:
            pieces, lowest = sorted(found), threshold + 1
        else:
            pieces, highest = max(pieces, sorted(found), key=len), threshold - 1
    return pieces


def _pieces(parts: Vocabulary, threshold: int) -> set[str]:
    """All characters, and what is as frequent as this after longer pieces have taken their share."""
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
