"""A token is a piece of a SentencePiece model that the user brings.

The model is a file of https://github.com/google/sentencepiece. Its pieces get ids by their frequency in the training
text, as all tokens do.
"""

import re
from collections.abc import Mapping

import tensorflow as tf
import tensorflow_text as tf_text

from textgen.errors import UserError
from textgen.text.tokenizers.table import SymbolTable, SymbolTokenizer
from textgen.text.tokenizers.word import join_words
from textgen.text.vocabulary import Vocabulary, most_frequent

_SPACE = "\u2581"
_BYTE = re.compile("<0x([0-9A-F]{2})>")


class SentencepieceTokenizer(SymbolTokenizer, tf.Module):
    """ "whales!" is ▁whale, s, !.

    What comes back is the text as the model normalizes it, in which a ▁ is a space.
    """

    symbol_dtype = tf.int32

    def __init__(self, model: bytes):
        """`model` is the content of a .model file.

        Raises:
            UserError: it is none.
        """
        super().__init__()
        try:
            self._tokenizer = tf_text.SentencepieceTokenizer(model)
            numbers = tf.range(self._tokenizer.vocab_size())
            self._pieces = tuple(piece.decode() for piece in self._tokenizer.id_to_string(numbers).numpy())
        except (tf.errors.OpError, UnicodeDecodeError):
            raise UserError(
                "the tokenizer model is damaged, or none of SentencePiece. Give the .model file that it wrote."
            ) from None
        unknown = int(self._tokenizer.string_to_id(""))
        # Twice, since the model takes away the space before a text.
        self._twice = tuple(self._tokenizer.detokenize(tf.stack([numbers, numbers], axis=1)).numpy())
        # The pieces that text is cut into: not `<s>`, which has no text itself.
        self._numbers = {
            token: piece
            for piece, token in enumerate(self._pieces)
            if piece != unknown and (self._twice[piece] or not token.strip(_SPACE))
        }
        first = self._tokenizer.id_to_string(self._tokenizer.tokenize("a")[0])
        self._adds_space = first.numpy().decode().startswith(_SPACE)

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] → ragged int32 [B, (pieces)], the model's own ids."""
        return self._tokenizer.tokenize(texts)

    def token(self, symbol: bytes | int) -> str:
        """The piece, in which ▁ is a space and `<0x0A>` a byte."""
        return self._pieces[int(symbol)]

    def is_token(self, text: str) -> bool:
        """Whether it is a piece of the model."""
        return text in self._numbers

    def symbols_to_learn(self, size: int) -> int:
        """All."""
        return len(self._pieces)

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """All pieces of the model, those that the training text lacks too."""
        known = self._numbers
        return most_frequent({token: counts.get(token, 0) for token in known}, len(known))

    def table(self, vocabulary: Vocabulary) -> SymbolTable:
        """The model's ids and ours."""
        pieces = [self._numbers[token] for token in vocabulary.tokens]
        return SymbolTable(pieces, [self._text(piece) for piece in pieces], self.symbol_dtype)

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Ragged string [B, (pieces)] → string[B], less the space that the model puts before a text."""
        texts = tf.strings.reduce_join(tokens, axis=-1)
        return tf.strings.regex_replace(texts, "^ ", "") if self._adds_space else texts

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """string[B], as words are joined: a continuation is taken to begin with a word, not to go on with one."""
        return join_words(prompts, continuations)

    def _text(self, piece: int) -> bytes:
        token = self._pieces[piece]
        byte = _BYTE.fullmatch(token)
        if byte and token.encode() not in self._twice[piece]:
            return bytes.fromhex(byte[1])
        return token.replace(_SPACE, " ").encode()
