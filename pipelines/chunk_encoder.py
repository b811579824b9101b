"""Converts the tokens of document chunks to ids, and assigns them to the splits."""

import numpy as np

from pipelines.token_files import EMPTY, DocumentTable, LocatedBatch
from textgen.config import UNK, PrepareConfig
from textgen.dataset.storage import ragged
from textgen.dataset.storage.sequencer import DocumentChunks
from textgen.dataset.storage.splits import SplitRanges
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary


class ChunkEncoder:
    """Encodes document chunks with the vocabulary of a dataset.

    Attributes:
        vocabulary_size: number of ids.
    """

    def __init__(self, config: PrepareConfig, vocabulary: Vocabulary, tokenizer_model: bytes):
        self._config = config
        self._preprocessor = Preprocessor(config.text, vocabulary, model=tokenizer_model)
        self.vocabulary_size = self._preprocessor.vocabulary.size

    def encode(self, located: LocatedBatch, documents: DocumentTable) -> DocumentChunks:
        """Returns the chunks of a batch as ids; dropped documents belong to no split.

        Args:
            located: G chunks with T tokens.
            documents: the unit's documents; the reason of a document whose tokens have no ids is set to "empty".
        """
        batch, rows, offsets = located
        table = self._preprocessor.ids(batch.symbols.to_numpy(zero_copy_only=False))
        ids, id_edges = _ids(table.values.numpy(), table.row_splits.numpy(), batch.indices)

        totals, lengths = documents.tokens[rows], np.diff(batch.edges)
        without_ids = (lengths == totals) & (id_edges[batch.edges[1:]] == id_edges[batch.edges[:-1]])
        reasons = documents.reasons[rows]
        documents.reasons[rows] = np.where(without_ids & (reasons == ""), EMPTY, reasons)
        kept = documents.reasons[rows] == ""
        ranges = documents.split_ranges(totals, self._config, rows)
        return DocumentChunks(
            ids=ids,
            edges=batch.edges,
            id_edges=id_edges,
            unknown=np.concatenate([[0], np.cumsum(ids == UNK)]),
            offsets=offsets,
            totals=totals,
            characters=documents.characters[rows],
            split_ranges=SplitRanges(ranges.starts, np.where(kept, ranges.ends, ranges.starts)),
        )


def _ids(values: np.ndarray, splits: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ids of T tokens, given the ids of each distinct symbol.

    Args:
        values: int [V], the ids of all symbols, one symbol after another.
        splits: int [U + 1], the start of each symbol's ids in `values`, and their end.
        indices: int [T], the symbol of each token.

    Returns:
        The ids, int [I], and the start of each token's ids, int [T + 1].
    """
    counts = np.diff(splits)
    if (counts == 1).all():
        return values[indices], np.arange(len(indices) + 1)
    each = counts[indices]
    return values[ragged.indices(splits[indices], each)], np.concatenate([[0], np.cumsum(each)])
