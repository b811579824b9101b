"""From a batch of documents' tokens to the sequences that each split cuts its pairs from."""

from typing import NamedTuple

import numpy as np

from textgen.config import BOS, EOS, SPLITS
from textgen.dataset.storage import ragged
from textgen.dataset.storage.manifest import SplitCounts
from textgen.dataset.storage.splits import SplitRanges
from textgen.dataset.storage.windows import Sequences


class DocumentChunks(NamedTuple):
    """What a batch holds of its documents, one stretch a document.

    A document too long for one batch goes on in the next; so only the first stretch may be a later part of its
    document, and only the last may lack an end.

    Attributes:
        ids: int[I], of all stretches on end.
        edges: int[G + 1], where each stretch starts in the tokens of the batch, and where the last ends.
        id_edges: int[T + 1], where each token starts in `ids`, since a token may give several ids or none.
        unknown: int[I + 1], how many of the ids before each place are unknown.
        offsets: int64 [G], the tokens of the document before the stretch.
        totals: int64 [G], the tokens of the whole document.
        characters: int64 [G], the code points of the whole document.
        split_ranges: what each split has of each of these documents.
    """

    ids: np.ndarray
    edges: np.ndarray
    id_edges: np.ndarray
    unknown: np.ndarray
    offsets: np.ndarray
    totals: np.ndarray
    characters: np.ndarray
    split_ranges: SplitRanges


class Sequencer:
    """Makes the sequences of one split, batch after batch, in the order of the corpus."""

    def __init__(self, split: str, *, boundaries: bool, stride: int, context: int):
        self.counts = SplitCounts()
        self._split, self._boundaries, self._stride, self._context = SPLITS.index(split), boundaries, stride, context
        # Of a document that goes on: its last ids, and how many ids its sequence has so far.
        self._before, self._length = np.empty(0, np.int64), 0

    def sequences(self, stretches: DocumentChunks) -> Sequences:
        """What the split has of a batch, [BOS] and [EOS] added, with the context that the batch before left."""
        starts, ends = stretches.split_ranges.starts[self._split], stretches.split_ranges.ends[self._split]
        lengths = np.diff(stretches.edges)
        begins = np.maximum(starts, stretches.offsets)
        stops = np.minimum(ends, stretches.offsets + lengths)
        chosen = np.flatnonzero(begins < stops)
        places = stretches.edges[:-1] - stretches.offsets
        id_begins = stretches.id_edges[(places + begins)[chosen]]
        id_stops = stretches.id_edges[(places + stops)[chosen]]
        self._count(stretches, chosen, begins == starts, id_begins, id_stops)

        goes_on = (begins > starts)[chosen]
        before = self._before if goes_on.any() else self._before[:0]
        first = self._boundaries & (begins == 0)[chosen]
        last = self._boundaries & (stops == stretches.totals)[chosen]
        source = np.concatenate([stretches.ids, [BOS, EOS], before])
        bos = np.full(len(chosen), len(stretches.ids))
        # Four slices a sequence: the context that goes before, [BOS], the ids, [EOS].
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
        """Returns the distance in ids to the next target: every stride-th id from the second on is one."""
        return max(1 - self._length, (1 - self._length) % self._stride)

    def _count(
        self,
        stretches: DocumentChunks,
        chosen: np.ndarray,
        new: np.ndarray,
        id_begins: np.ndarray,
        id_stops: np.ndarray,
    ) -> None:
        fresh = chosen[new[chosen]]
        totals = np.maximum(stretches.totals[fresh], 1)
        # Shared out by tokens, so that the parts' shares add up to the document.
        until, since = (
            stretches.characters[fresh] * edges[self._split][fresh] // totals
            for edges in (stretches.split_ranges.ends, stretches.split_ranges.starts)
        )
        self.counts.add(
            SplitCounts(
                documents=len(fresh),
                characters=int((until - since).sum()),
                tokens=int((id_stops - id_begins).sum()),
                unknown=int((stretches.unknown[id_stops] - stretches.unknown[id_begins]).sum()),
            )
        )
