"""Combines the tokens and statistics of document chunks into one row per document."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelines.document_files import EMPTY, DocumentTable, write_documents
from pipelines.text_operations import TextOperations
from textgen.config import SPLITS
from textgen.corpus.readers.base import Label
from textgen.dataset.storage.splits import DIGEST_BYTES, new_digest
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
        self._digests: list[bytes] = []
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
        cleaned = tokens.texts()
        for text, is_continued in zip(cleaned, continued, strict=True):
            if is_continued:
                self._open_digest.update(text)
            else:
                self._digests.append(self._open_digest.digest())
                self._open_digest = new_digest(text)
        self._starts.append(~np.array(continued))
        self._tokens.append(tokens.lengths)
        self._characters.append(tokens.characters)
        self._statistics.append(self._operations.measure(cleaned, tokens.characters, tokens.lengths))
        if self._with_signatures:
            self._signatures.append(minhash.signatures(cleaned))

    def build(self) -> DocumentTable:
        """Returns the table of all documents; call it once, after the last batch."""
        # The first digest belongs to the empty text before the first document.
        digests = [*self._digests, self._open_digest.digest()][1:]
        if not digests:
            nothing = np.empty(0, np.int64)
            return DocumentTable(np.empty((0, DIGEST_BYTES), np.uint8), nothing, nothing, nothing, np.empty((0, 0)))
        matrix = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES)
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
