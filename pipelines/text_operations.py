"""The text operations of a preparation, which all threads of a process share, since their graph takes seconds."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from textgen.config import SelectionConfig, TextConfig
from textgen.console import import_tensorflow
from textgen.errors import require
from textgen.text.compiled.chunk_cache import GraphTokens
from textgen.text.compiled.corpus_tokenizer import CorpusTokenizer
from textgen.text.filters import make_filters
from textgen.text.tokenizers import make_tokenizer

if TYPE_CHECKING:
    from textgen.text.preprocessor import Analyzer

_VARIABLE, _GRAPH = "TEXTGEN_TEXT", "graph"
"""Environment variable of each worker; with the value `graph` all text is cut by the graph, which defines how."""

_LOCK = threading.Lock()


class TextOperations:
    """Cleans, tokenizes and measures texts; threads may do so at the same time.

    The graph is built when a text needs it for the first time, and TensorFlow imported.

    Attributes:
        filters: the filters whose statistics are measured.
        tokenizer: cleans and tokenizes texts.
    """

    def __init__(self, text: TextConfig, selection: SelectionConfig, model: bytes, *, compiled: bool = True):
        """Creates the operations; see `text_operations`.

        Args:
            text: the text settings.
            selection: the filters.
            model: content of the tokenizer's model file.
            compiled: whether compiled loops cut what is simple.
        """
        self.filters = make_filters(selection)
        self._text, self._model, self._lock = text, model, threading.Lock()
        self.tokenizer = CorpusTokenizer(
            text,
            self._tokenize,
            symbols_are_text=_symbols_are_text(text, model),
            compiled=compiled,
        )

    def measure(self, cleaned: Sequence[bytes], characters: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Returns float64 [B, K], as `Analyzer.measure` does; without filters no text is needed."""
        if not self.filters:
            return np.zeros((len(lengths), 0))
        return self._analyzer().measure(cleaned, characters, lengths)

    def _tokenize(self, texts: Sequence[bytes], continued: Sequence[bool]) -> GraphTokens:
        return self._analyzer().tokenize(texts, continued)

    def _analyzer(self) -> Analyzer:
        with self._lock:
            return self._built

    @functools.cached_property
    def _built(self) -> Analyzer:
        import_tensorflow()
        from textgen.text.preprocessor import Analyzer

        return Analyzer(self._text, filters=self.filters, model=self._model)


@functools.lru_cache(maxsize=1)
def _build(text: TextConfig, selection: SelectionConfig, model: bytes, compiled: bool) -> TextOperations:
    return TextOperations(text, selection, model, compiled=compiled)


def text_operations(text: TextConfig, selection: SelectionConfig, model: bytes) -> TextOperations:
    """Returns the text operations of some settings; those of the last settings are kept for the next call.

    Args:
        text: the text settings.
        selection: the filters.
        model: content of the tokenizer's model file; empty for a tokenizer without one.

    Raises:
        UserError: the model is damaged, or the environment variable TEXTGEN_TEXT has an unknown value.
    """
    value = os.environ.get(_VARIABLE, "")
    require(
        value in ("", _GRAPH),
        f"the environment variable {_VARIABLE} is {value!r}; it must be empty, or {_GRAPH!r} to cut all text by the "
        "graph. Unset it.",
    )
    with _LOCK:
        return _build(text, selection, model, value != _GRAPH)


def _symbols_are_text(text: TextConfig, model: bytes) -> bool:
    return make_tokenizer(text, model).symbol_dtype == "string"
