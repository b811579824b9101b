"""Builds the text operations of a preparation once for all threads of a process, since it takes seconds."""

import functools
import threading
from typing import NamedTuple

from textgen.config import SelectionConfig, TextConfig
from textgen.text.compiled.corpus_tokenizer import CorpusTokenizer
from textgen.text.filters import make_filters
from textgen.text.preprocessor import Analyzer

_LOCK = threading.Lock()


class TextOperations(NamedTuple):
    """The text operations; threads may use them at the same time.

    Attributes:
        analyzer: measures the statistics of filters.
        tokenizer: cleans and tokenizes texts.
    """

    analyzer: Analyzer
    tokenizer: CorpusTokenizer


def text_operations(text: TextConfig, selection: SelectionConfig, model: bytes) -> TextOperations:
    """Returns the text operations of the last settings that were asked for, or builds those of others.

    Args:
        text: the text settings.
        selection: the filters.
        model: content of the tokenizer's model file; empty for a tokenizer without one.
    """
    with _LOCK:
        return _build(text, selection, model)


@functools.lru_cache(maxsize=1)
def _build(text: TextConfig, selection: SelectionConfig, model: bytes) -> TextOperations:
    analyzer = Analyzer(text, filters=make_filters(selection), model=model)
    symbols_are_text = analyzer.tokenizer.symbol_dtype.name == "string"
    return TextOperations(analyzer, CorpusTokenizer(text, analyzer.tokenize, symbols_are_text=symbols_are_text))
