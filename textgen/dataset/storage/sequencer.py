"""Turns the chunks of documents into the sequences of each split, from which its pairs are made."""

from typing import NamedTuple

import numpy as np

from textgen.config import SPLITS, UNK
from textgen.dataset.storage import ragged
from textgen.dataset.storage.slice_loops import count_in_slices
from textgen.dataset.storage.split_counts import SplitCounts
from textgen.dataset.storage.splits import SplitRanges
from textgen.dataset.storage.windows import Sequences


class DocumentChunks(NamedTuple):
    """Chunks of a batch: T tokens of G documents, with one chunk per document.

    A document too long for one batch continues in the next. So only the first chunk may continue a document, and only
    the last may lack the end of its document.

    Attributes:
        ids: int [I + 2], ids of all chunks, joined, then [BOS] and [EOS].
        edges: int [G + 1], index of the first token of each chunk in the batch, and the end of the last.
        id_edges: int [T + 1], index in `ids` of the first id of each token, and the end of the last. A token may give
            several ids or none; None if each gives one.
        offsets: int64 [G], number of tokens of the document before the chunk.
        totals: int64 [G], number of tokens of the whole document.
        characters: int64 [G], number of code points of the whole document.
        split_ranges: split ranges of each document, in tokens.
    """

    ids: np.ndarray
    edges: np.ndarray
    id_edges: np.ndarray | None
    offsets: np.ndarray
    totals: np.ndarray
    characters: np.ndarray
    split_ranges: SplitRanges

    def id_indices(self, tokens: np.ndarray) -> np.ndarray:
        """Returns the index in `ids` of the first id of each token, int [N] → int [N]."""
        return tokens if self.id_edges is None else self.id_edges[tokens]


class Sequencer:
    """Makes the sequences of one split from consecutive batches, in the order of the corpus.

    Attributes:
        counts: counts of the split so far, without its pairs.
    """

    def __init__(self, split: str, *, boundaries: bool, stride: int, context: int):
        """Starts with no document.

        Args:
            split: name of the split.
            boundaries: whether to add [BOS] and [EOS] to each document.
            stride: distance from one target to the next, in ids.
            context: maximum number of ids to keep as context for the next chunk of a document.
        """
        self.counts = SplitCounts()
        self._split, self._boundaries, self._stride, self._context = SPLITS.index(split), boundaries, stride, context
        # Of a document that continues in the next batch: its last ids, and the length of its sequence so far.
        self._before: np.ndarray = np.empty(0, np.uint16)
        self._length = 0

    def sequences(self, chunks: DocumentChunks) -> Sequences:
        """Returns the sequences of a batch that belong to the split, and counts them.

        A sequence that continues a document starts with context from the batch before.

        Args:
            chunks: chunks of the next batch.

        Returns:
            S sequences, S <= G, with [BOS] and [EOS] if there are boundaries: their ids, int [T], joined, and the
            indices of the start, the first target and the end of each, int64 [S].
        """
        starts, ends = chunks.split_ranges.starts[self._split], chunks.split_ranges.ends[self._split]
        lengths = np.diff(chunks.edges)
        begins = np.maximum(starts, chunks.offsets)
        stops = np.minimum(ends, chunks.offsets + lengths)
        chosen = np.flatnonzero(begins < stops)
        shifts = chunks.edges[:-1] - chunks.offsets
        id_begins = chunks.id_indices((shifts + begins)[chosen])
        id_stops = chunks.id_indices((shifts + stops)[chosen])
        self._count(chunks, chosen, begins == starts, id_begins, id_stops)

        goes_on = (begins > starts)[chosen]
        before = self._before if goes_on.any() else self._before[:0]
        first = self._boundaries & (begins == 0)[chosen]
        last = self._boundaries & (stops == chunks.totals)[chosen]
        source = np.concatenate([chunks.ids, before]) if len(before) else chunks.ids
        bos = np.full(len(chosen), len(chunks.ids) - 2)
        # Four slices per sequence: the context, [BOS], the ids, [EOS].
        ids, slice_ends = ragged.join(
            source,
            np.stack([bos + 2, bos, id_begins, bos + 1], axis=1),
            np.stack([goes_on * len(before), first, id_stops - id_begins, last], axis=1),
        )
        sequence_ends = slice_ends[3::4]
        sequence_starts = np.concatenate([[0], sequence_ends[:-1]]).astype(np.int64)[: len(chosen)]
        firsts = sequence_starts + np.where(goes_on, len(before) + self._to_next_target(), 1)
        if len(chosen) and (stops < ends)[chosen[-1]]:
            own = int(sequence_ends[-1] - sequence_starts[-1]) - goes_on[-1] * len(before)
            self._length = own + goes_on[-1] * self._length
            self._before = ids[sequence_starts[-1] :][-self._context :]
        return Sequences(ids, sequence_starts, firsts, sequence_ends)

    def _to_next_target(self) -> int:
        """Returns the distance in ids to the next target; every `stride`-th id from the second on is a target."""
        return max(1 - self._length, (1 - self._length) % self._stride)

    def _count(
        self,
        chunks: DocumentChunks,
        chosen: np.ndarray,
        new: np.ndarray,
        id_begins: np.ndarray,
        id_stops: np.ndarray,
    ) -> None:
        fresh = chosen[new[chosen]]
        totals = np.maximum(chunks.totals[fresh], 1)
        # In proportion to tokens; the numbers of the split ranges of a document add up to that of the document.
        until, since = (
            chunks.characters[fresh] * edges[self._split][fresh] // totals
            for edges in (chunks.split_ranges.ends, chunks.split_ranges.starts)
        )
        self.counts.add(
            SplitCounts(
                documents=len(fresh),
                characters=int((until - since).sum()),
                tokens=int((id_stops - id_begins).sum()),
                unknown=count_in_slices(chunks.ids, id_begins, id_stops, UNK),
            )
        )
