"""Combines the tokens and statistics of document chunks into one row per document."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelines.document_files import EMPTY, DocumentTable, write_documents
from pipelines.text_operations import TextOperations
from textgen.config import SPLITS
from textgen.corpus.readers.base import Label
from textgen.dataset.storage.splits import digests_of, new_digest
from textgen.text import minhash
from textgen.text.compiled.corpus_tokenizer import Tokens
from textgen.text.filters import drop_reasons


class DocumentTableBuilder:
    """Builds the document table of a unit from batches of tokenized texts."""

    def __init__(self, operations: TextOperations, *, with_signatures: bool, split: str | None = None) -> None:
        """Creates a builder without documents.

        Args:
            operations: measures the statistics of its filters.
            with_signatures: whether to compute MinHash signatures, as the search for near duplicates requires.
            split: split of all documents; None if the files do not say.
        """
        self._split, self._labels = split, list[Label]()
        self._operations, self._with_signatures = operations, with_signatures
        self._digests: list[np.ndarray] = []
        self._open_digest = new_digest(b"")
        self._starts: list[np.ndarray] = []
        self._tokens: list[np.ndarray] = []
        self._characters: list[np.ndarray] = []
        self._statistics: list[np.ndarray] = []
        self._signatures: list[np.ndarray] = []

    def add(self, tokens: Tokens, continued: list[bool], labels: Sequence[Label] = ()) -> None:
        """Adds a batch of texts.

        Args:
            tokens: the tokens of B texts.
            continued: for each of the B texts, whether it continues the document of the text before it.
            labels: for each of the B texts, the label of its document; empty if the input gives none.
        """
        self._labels += [label for label, more in zip(labels, continued, strict=False) if not more]
        starts = ~np.array(continued, np.bool_)
        self._add_digests(tokens.cleaned, tokens.edges[:-1][starts])
        self._starts.append(starts)
        self._tokens.append(tokens.lengths)
        self._characters.append(tokens.characters)
        cleaned = tokens.texts() if self._operations.filters or self._with_signatures else []
        self._statistics.append(self._operations.measure(cleaned, tokens.characters, tokens.lengths))
        if self._with_signatures:
            self._signatures.append(minhash.signatures(cleaned))

    def build(self) -> DocumentTable:
        """Returns the table of all documents; call it once, after the last batch."""
        self._end_document()
        # The first digest belongs to the empty text before the first document.
        matrix = np.concatenate(self._digests)[1:]
        if not len(matrix):
            nothing = np.empty(0, np.int64)
            return DocumentTable(matrix, nothing, nothing, nothing, np.empty((0, 0)))
        starts = np.flatnonzero(np.concatenate(self._starts))
        tokens, characters, statistics = (
            np.add.reduceat(np.concatenate(batches), starts, axis=0)
            for batches in (self._tokens, self._characters, self._statistics)
        )
        return DocumentTable(
            matrix,
            tokens,
            characters,
            np.where(tokens == 0, EMPTY, drop_reasons(self._operations.filters, statistics)),
            self._document_signatures(starts),
            self._given_splits(len(matrix)),
            self._group_digests(matrix),
        )

    def write(self, path: Path) -> None:
        """Writes the table of all documents to a file; call it once, after the last batch."""
        write_documents(path, self.build())

    def _add_digests(self, cleaned: np.ndarray, starts: np.ndarray) -> None:
        """Adds the hashes of the documents that end in a batch; the last one may go on in the next.

        Args:
            cleaned: uint8 [C], the cleaned texts of the batch one after another.
            starts: int64 [N], start of each document that begins in the batch.
        """
        if not len(starts):
            self._open_digest.update(cleaned.data)
            return
        self._open_digest.update(cleaned[: starts[0]].data)
        self._end_document()
        self._digests.append(digests_of(cleaned, starts))
        self._open_digest = new_digest(cleaned[starts[-1] :].data)

    def _end_document(self) -> None:
        self._digests.append(np.frombuffer(self._open_digest.digest(), np.uint8)[None])

    def _given_splits(self, count: int) -> np.ndarray | None:
        """Returns int8 [D], the index in SPLITS of each document's split, or -1; None if the input says nothing."""
        splits = [label.split or self._split for label in self._labels] or [self._split] * count
        if not any(splits):
            return None
        return np.array([-1 if split is None else SPLITS.index(split) for split in splits], np.int8)

    def _group_digests(self, digests: np.ndarray) -> np.ndarray | None:
        """Returns uint8 [D, 16], the hash of each document's group, or of its text; None if there are no groups."""
        if not any(label.group is not None for label in self._labels):
            return None
        grouped = digests.copy()
        for row, label in enumerate(self._labels):
            if label.group is not None:
                grouped[row] = np.frombuffer(new_digest(label.group).digest(), np.uint8)
        return grouped

    def _document_signatures(self, starts: np.ndarray) -> np.ndarray:
        """Returns uint32 [D, H]; the signature of a document is the minimum over its chunks."""
        if not self._with_signatures:
            return np.empty((len(starts), 0), np.uint32)
        return np.minimum.reduceat(np.concatenate(self._signatures), starts, axis=0)
