"""Tokenizer with one token per subword of byte-level byte-pair encoding, so that every text has ids.

Text is divided into pre-tokens, and the bytes of each are merged by the merges that were learned or given. Tokens are
written in the alphabet of bytes, and stand in the order of their merges: the 256 bytes, then the pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from textgen.lazy_tensorflow import tf
from textgen.text.tokenizers.bpe_encoder import BpeEncoder
from textgen.text.tokenizers.byte_alphabet import is_written, to_bytes, to_characters
from textgen.text.tokenizers.merges import learn_merges
from textgen.text.tokenizers.pretokens import split_pretokens
from textgen.text.vocabulary import FIRST_ID, Vocabulary

if TYPE_CHECKING:
    from textgen.text.tokenizers.bpe_table import BpeTable

_FEWEST_SYMBOLS = 100_000
_SYMBOLS_A_TOKEN = 10
"""Number of pre-tokens to learn from, at least and per token; rarer ones change little, and all are in memory."""


class BpeTokenizer:
    """Splits text into subwords: "It's whales!" → It, 's, Ġwhale, s, !, in which Ġ stands for a space."""

    symbol_dtype = "string"
    unknown_word = ""

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts into pre-tokens, string [B] → ragged string [B, (P)]; the table splits these into tokens."""
        return split_pretokens(texts)

    def token(self, symbol: bytes | int) -> str:
        """Returns the pre-token in the alphabet of bytes."""
        assert isinstance(symbol, bytes)
        return to_characters(symbol)

    def is_token(self, text: str) -> bool:
        """Returns whether a text is written in the alphabet of bytes."""
        return is_written(text)

    def symbols_to_learn(self, size: int) -> int:
        """Returns ten times `size`, the number of pre-tokens from which merges are learned, or 100,000."""
        return max(_SYMBOLS_A_TOKEN * size, _FEWEST_SYMBOLS)

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Learns tokens from the counts of pre-tokens, in which they are counted too.

        Args:
            counts: number of occurrences of each pre-token.
            size: number of tokens; there are fewer if no further pair occurs twice.
        """
        learned = learn_merges(counts, size)
        return Vocabulary(tuple(learned.tokens), tuple(learned.counts))

    def count(self, tokens: Sequence[str], counts: Mapping[str, int]) -> list[int]:
        """Returns the number of occurrences of each token, from the counts of pre-tokens.

        Raises:
            UserError: the tokens do not have all bytes, or are not in the order of their merges.
        """
        ids, lengths = BpeEncoder(tokens).encode([to_bytes(pretoken) for pretoken in counts])
        times = np.repeat(np.fromiter(counts.values(), np.int64, len(counts)), lengths)
        found = np.zeros(FIRST_ID + len(tokens), np.int64)
        np.add.at(found, ids, times)
        return found[FIRST_ID:].tolist()

    def table(self, vocabulary: Vocabulary) -> BpeTable:
        """Returns the lookup table between pre-tokens and the ids of their tokens.

        Raises:
            UserError: the vocabulary does not have all bytes, or is not in the order of its merges.
        """
        from textgen.text.tokenizers.bpe_table import BpeTable

        return BpeTable(vocabulary.tokens)

    def encoder(self, vocabulary: Vocabulary) -> BpeEncoder:
        """Returns an encoder of pre-tokens outside of graphs, which gives the ids of the table faster."""
        return BpeEncoder(vocabulary.tokens)

    def detokenize(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """Concatenates the bytes of tokens, ragged string [B, (T)] → string [B]; the result may be invalid UTF-8."""
        return tf.strings.reduce_join(tokens, axis=-1)

    def join(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tf.Tensor:
        """Returns each prompt directly followed by its continuation, string [B]."""
        return prompts + continuations

    def plain_text(self, prompt: str, tokens: Sequence[str]) -> str:
        """Returns the prompt directly followed by the bytes of the tokens."""
        return prompt + b"".join(map(to_bytes, tokens)).decode(errors="replace")
