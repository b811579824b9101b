"""Gives the symbols of a corpus their ids, outside of graphs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from textgen.config import UNK, TextConfig
from textgen.text.tokenizers import make_tokenizer, require_tokens
from textgen.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from textgen.text.preprocessor import Preprocessor


class VocabularyEncoder:
    """Gives symbols the ids that `Preprocessor.ids` gives them, by the fastest way that the tokenizer has.

    Threads may share it.

    Attributes:
        vocabulary: the tokens that have ids.
    """

    def __init__(self, config: TextConfig, vocabulary: Vocabulary, *, model: bytes = b""):
        """Builds the tokenizer.

        Args:
            config: the text settings.
            vocabulary: the tokens that have ids.
            model: content of the tokenizer's model file; empty for a tokenizer without one.

        Raises:
            UserError: the model is damaged, or the vocabulary is that of another tokenizer.
        """
        self.vocabulary = vocabulary
        self._config, self._model = config, model
        tokenizer = make_tokenizer(config, model)
        if tokenizer.symbol_dtype == "int32":
            require_tokens(vocabulary, tokenizer, config.tokenizer)
        self._encoder = tokenizer.encoder(vocabulary)

    def encode(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids of symbols; with `unknown="drop"`, an unknown symbol has none.

        Args:
            symbols: bytes or int32 [N].

        Returns:
            int32 [V], the ids of one symbol after another, and int64 [N + 1], where those of each begin.
        """
        if self._encoder is None:
            table = self._preprocessor.ids(symbols)
            return table.values.numpy(), table.row_splits.numpy()
        ids, lengths = self._encoder.encode(symbols.tolist())
        edges = np.concatenate([[0], np.cumsum(lengths)])
        if self._config.unknown == "token":
            return ids, edges
        kept = ids != UNK
        return ids[kept], np.concatenate([[0], np.cumsum(kept)])[edges]

    @functools.cached_property
    def _preprocessor(self) -> Preprocessor:
        from textgen.text.preprocessor import Preprocessor

        return Preprocessor(self._config, self.vocabulary, model=self._model)
