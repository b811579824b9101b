"""Tokenizer with one token per piece of a SentencePiece model given by the user.

The model is a file of https://github.com/google/sentencepiece. Its pieces are numbered by their frequency in the
training split, as the tokens of all tokenizers are.
"""

import re
from collections.abc import Mapping, Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from textgen.errors import UserError
from textgen.text.tokenizers.symbol_tokenizer import SymbolTokenizer
from textgen.text.tokenizers.word import join_words
from textgen.text.vocabulary import Vocabulary, most_frequent

_SPACE = "\u2581"
_BYTE = re.compile("<0x([0-9A-F]{2})>")


class SentencepieceTokenizer(SymbolTokenizer, tf.Module):
    """Splits text into pieces, in which ▁ stands for a space: "whales!" → ▁whale, s, !.

    Ids are converted back to the text as the model normalizes it.
    """

    symbol_dtype = "int32"

    def __init__(self, model: bytes):
        """Loads the model.

        Args:
            model: content of a .model file.

        Raises:
            UserError: it is damaged, or no SentencePiece model.
        """
        super().__init__()
        try:
            self._tokenizer = tf_text.SentencepieceTokenizer(model)
            numbers = tf.range(self._tokenizer.vocab_size())
            self._pieces = tuple(piece.decode() for piece in self._tokenizer.id_to_string(numbers).numpy())
        except (tf.errors.OpError, UnicodeDecodeError):
            raise UserError(
                "the tokenizer model is damaged, or not a SentencePiece model. Give the .model file of its trainer."
            ) from None
        unknown = int(self._tokenizer.string_to_id(""))
        # Each piece twice, since the model removes the space at the start of a text.
        self._twice = tuple(self._tokenizer.detokenize(tf.stack([numbers, numbers], axis=1)).numpy())
        # Without control pieces such as `<s>`, which have no text.
        self._numbers = {
            token: piece
            for piece, token in enumerate(self._pieces)
            if piece != unknown and (self._twice[piece] or not token.strip(_SPACE))
        }
        first = self._tokenizer.id_to_string(self._tokenizer.tokenize("a")[0])
        self._adds_space = first.numpy().decode().startswith(_SPACE)

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts, string [B] → ragged int32 [B, (pieces)], numbers of the pieces in the model."""
        return self._tokenizer.tokenize(texts)

    def token(self, symbol: bytes | int) -> str:
        """Returns the piece, in which ▁ stands for a space and `<0x0A>` for a byte."""
        return self._pieces[int(symbol)]

    def is_token(self, text: str) -> bool:
        """Returns whether a text is a piece of the model."""
        return text in self._numbers

    def symbols_to_learn(self, size: int) -> int:
        """Returns the number of all pieces of the model."""
        return len(self._pieces)

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Returns all pieces of the model by falling count, including those that do not occur."""
        known = self._numbers
        return most_frequent({token: counts.get(token, 0) for token in known}, len(known))

    def symbols(self, vocabulary: Vocabulary) -> list[int]:
        """Returns the model's number of each piece."""
        return [self._numbers[token] for token in vocabulary.tokens]

    def texts(self, vocabulary: Vocabulary) -> list[bytes]:
        """Returns the text of each piece."""
        return [self._text(piece) for piece in self.symbols(vocabulary)]

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Joins pieces, ragged string [B, (pieces)] → string [B], without the space that the model puts first."""
        texts = tf.strings.reduce_join(tokens, axis=-1)
        return tf.strings.regex_replace(texts, "^ ", "") if self._adds_space else texts

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """Joins texts as words, string [B]; a continuation is taken to start with a new word."""
        return join_words(prompts, continuations)

    def plain_text(self, prompt: str, tokens: Sequence[str]) -> None:
        """Returns None, since TensorFlow reads the model."""

    def _text(self, piece: int) -> bytes:
        """Returns the text of a piece: that of a byte piece is its byte, and ▁ is a space."""
        token = self._pieces[piece]
        byte = _BYTE.fullmatch(token)
        if byte and token.encode() not in self._twice[piece]:
            return bytes.fromhex(byte[1])
        return token.replace(_SPACE, " ").encode()
