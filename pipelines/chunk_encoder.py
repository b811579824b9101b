"""Converts the tokens of document chunks to ids, and assigns them to the splits."""

import threading
import weakref
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.document_files import EMPTY, DocumentTable
from pipelines.token_files import LocatedBatch
from pipelines.workspace import Workspace
from textgen.config import BOS, EOS, PrepareConfig, TextConfig
from textgen.dataset.storage import ragged
from textgen.dataset.storage.records import id_dtype
from textgen.dataset.storage.sequencer import DocumentChunks
from textgen.dataset.storage.splits import SplitRanges
from textgen.text import vocabulary
from textgen.text.vocabulary_encoder import VocabularyEncoder

_LOADED, _LOADING = weakref.WeakValueDictionary[tuple[Any, ...], VocabularyEncoder](), threading.Lock()
"""The encoders in use by what they are made of; threads share them, since one with merges takes tens of megabytes."""

_SYMBOLS_AT_ONCE = 1 << 14
"""Number of symbols that are encoded at once, since Python takes about 50 bytes to hold a short one."""


def load_encoder(text: TextConfig, workspace: Workspace) -> VocabularyEncoder:
    """Returns the encoder with the vocabulary and the tokenizer's model of a dataset at work."""
    parts = text, vocabulary.load(workspace.directory), workspace.tokenizer_model()
    with _LOADING:
        encoder = _LOADED.get(parts)
        if encoder is None:
            encoder = _LOADED[parts] = VocabularyEncoder(text, parts[1], model=parts[2])
    return encoder


class ChunkEncoder:
    """Encodes the document chunks of a unit with the vocabulary of a dataset."""

    def __init__(self, config: PrepareConfig, encoder: VocabularyEncoder, symbols: pa.Array):
        """Looks up the ids of the unit's symbols.

        Args:
            config: the settings of the dataset.
            encoder: gives symbols their ids.
            symbols: the symbols of the unit by number, binary or int32.
        """
        self._config = config
        dtype = id_dtype(encoder.vocabulary.size)
        values, lengths = [np.empty(0, dtype)], [np.zeros(1, np.int64)]
        for start in range(0, len(symbols), _SYMBOLS_AT_ONCE):
            ids, edges = encoder.encode(symbols.slice(start, _SYMBOLS_AT_ONCE).to_numpy(zero_copy_only=False))
            values.append(ids.astype(dtype))
            lengths.append(np.diff(edges))
        self._values, self._splits = np.concatenate(values), np.cumsum(np.concatenate(lengths))

    def encode(self, located: LocatedBatch, documents: DocumentTable) -> DocumentChunks:
        """Returns the chunks of a batch as ids; dropped documents belong to no split.

        Args:
            located: G chunks with T tokens.
            documents: the unit's documents; the reason of a document whose tokens have no ids is set to "empty".
        """
        batch, rows, offsets = located
        ids, id_edges = _ids(self._values, self._splits, batch.numbers)

        totals, lengths = documents.tokens[rows], np.diff(batch.edges)
        counts = lengths if id_edges is None else np.diff(id_edges[batch.edges])
        without_ids = (lengths == totals) & (counts == 0)
        reasons = documents.reasons[rows]
        documents.reasons[rows] = np.where(without_ids & (reasons == ""), EMPTY, reasons)
        kept = documents.reasons[rows] == ""
        ranges = documents.split_ranges(totals, self._config, rows)
        return DocumentChunks(
            ids=ids,
            edges=batch.edges,
            id_edges=id_edges,
            offsets=offsets,
            totals=totals,
            characters=documents.characters[rows],
            split_ranges=SplitRanges(ranges.starts, np.where(kept, ranges.ends, ranges.starts)),
        )


def _ids(values: np.ndarray, splits: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the ids of T tokens with [BOS] and [EOS] after them, given the ids of each distinct symbol.

    Args:
        values: int [V], the ids of all symbols, one symbol after another.
        splits: int [U + 1], the start of each symbol's ids in `values`, and their end.
        numbers: int [T], the symbol of each token.

    Returns:
        The ids, int [I + 2], of the dtype of `values`, and the start of each token's ids, int [T + 1], None if each
        has one.
    """
    after = np.array([BOS, EOS], values.dtype)
    if len(values) == len(splits) - 1 and (np.diff(splits) == 1).all():
        return np.concatenate([ragged.take(values, numbers), after]), None
    return ragged.take_slices(values, splits, numbers, after)
