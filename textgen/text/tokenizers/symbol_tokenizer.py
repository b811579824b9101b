"""Base of the tokenizers in which every symbol is one token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textgen.text.tokenizers.symbol_encoder import SymbolEncoder
from textgen.text.vocabulary import Vocabulary, most_frequent

if TYPE_CHECKING:
    from textgen.text.tokenizers.symbol_table import SymbolTable


class SymbolTokenizer:
    """Learns, counts and looks up tokens that are symbols; subclasses split and join texts.

    Attributes:
        symbol_dtype: dtype of symbols, "string" or "int32".
        unknown_word: word of the text that has the id of [UNK]; empty for none.
    """

    symbol_dtype: str = "string"
    unknown_word: str = ""

    def symbols_to_learn(self, size: int) -> int:
        """Returns `size`, since each symbol is one token."""
        return size

    def learn(self, counts: Mapping[str, int], size: int) -> Vocabulary:
        """Returns the vocabulary of the `size` most frequent symbols."""
        return most_frequent(counts, size)

    def count(self, tokens: Sequence[str], counts: Mapping[str, int]) -> list[int]:
        """Returns the count of each token, 0 for one that does not occur."""
        return [counts.get(token, 0) for token in tokens]

    def symbols(self, vocabulary: Vocabulary) -> Sequence[str] | Sequence[int]:
        """Returns the symbol of each token; the token itself, unless a subclass says otherwise."""
        return vocabulary.tokens

    def texts(self, vocabulary: Vocabulary) -> Sequence[str] | Sequence[bytes]:
        """Returns the text of each token; the token itself, unless a subclass says otherwise."""
        return vocabulary.tokens

    def table(self, vocabulary: Vocabulary) -> SymbolTable:
        """Returns the lookup table between symbols and ids; [UNK] has the text of the unknown word, if any."""
        from textgen.text.tokenizers.symbol_table import SymbolTable

        return SymbolTable(
            self.symbols(vocabulary), self.texts(vocabulary), self.symbol_dtype, unknown=self.unknown_word
        )

    def encoder(self, vocabulary: Vocabulary) -> SymbolEncoder:
        """Returns an encoder of symbols outside of graphs, which gives the ids of the table."""
        return SymbolEncoder(self.symbols(vocabulary))

    def plain_text(self, prompt: str, tokens: Sequence[str]) -> str | None:
        """Returns None: only `join` and `detokenize` give the text, unless a subclass says otherwise."""
        return None
