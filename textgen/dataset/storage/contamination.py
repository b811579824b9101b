"""Measures how much of the held-out splits occurs in other splits too, on the ids in the shards.

The hashes of the held-out 13-grams are kept in memory and compared with those of the training split, which is read
once. If there are too many, only the lowest hashes are kept, as a sample; so all occurrences of a 13-gram are
compared, or none.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from textgen.config import BOS, EOS, PrepareConfig
from textgen.dataset.storage.manifest import Manifest, read_manifest
from textgen.dataset.storage.records import RestoredIds
from textgen.dataset.storage.restored_text import not_restorable, read_restored

GRAM = 13
"""Number of tokens in a gram, too many to match by chance: https://arxiv.org/abs/2005.14165, appendix C."""

HELD_OUT = ("validation", "test")

_LARGEST = (1 << 64) - 1
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


class ComparisonSize(NamedTuple):
    """Size of the comparison; the defaults take less than 200 MB of memory.

    Attributes:
        gram: number of tokens in a gram, and minimum number of known tokens in a compared document.
        max_hashes: maximum number of hashes kept; of more, a sample is compared.
        hashes_at_once: number of hashes collected before they are merged.
    """

    gram: int = GRAM
    max_hashes: int = 1 << 22
    hashes_at_once: int = 1 << 20


DEFAULT_SIZE = ComparisonSize()


class Overlap(NamedTuple):
    """Overlap of a held-out split with other splits, in 13-grams or documents.

    Attributes:
        found: number of compared items of the held-out split.
        shared: number of these that another split has too.
    """

    found: int
    shared: int


class OverlapReport(NamedTuple):
    """Overlaps of the held-out splits.

    Attributes:
        overlaps: overlap of each held-out split, by name.
        sampled_fraction: fraction of all items that was compared, from 0 to 1.
    """

    overlaps: dict[str, Overlap]
    sampled_fraction: float


class Contamination(NamedTuple):
    """Overlap of the held-out splits with other splits, or the reasons why it cannot be measured.

    Attributes:
        grams: 13-grams that the training split has too, with every occurrence counted.
        documents: documents of at least 13 known tokens that another split has too, with equal tokens. Shorter ones
            may be equal by chance.
    """

    grams: OverlapReport | str
    documents: OverlapReport | str


def measure_contamination(directory: str | Path, size: ComparisonSize = DEFAULT_SIZE) -> Contamination:
    """Compares the splits of a dataset, in one pass over all shards.

    Args:
        directory: folder of the dataset, local or a URL.
        size: size of the comparison.

    Raises:
        UserError: the folder is not a dataset, or a shard is damaged.
        OSError: the manifest cannot be read.
    """
    manifest = read_manifest(directory)
    held_out = [manifest.total.splits[split] for split in HELD_OUT]
    reason = _unmeasurable(manifest)
    if reason:
        return Contamination(reason, reason)
    grams = _OverlapCounts(sum(counts.tokens for counts in held_out), size)
    documents = _OverlapCounts(sum(counts.documents for counts in held_out), size)
    for split in (*HELD_OUT, "train"):
        gram_hasher, document_hasher = _GramHasher(size.gram), DocumentHasher(size.gram)
        for ids in read_restored(directory, manifest, split):
            grams.add(split, gram_hasher.hashes(ids))
            documents.add(split, document_hasher.hashes(ids))
    return Contamination(
        grams.measure(among_held_out=False),
        _documents_unmeasurable(manifest.config) or documents.measure(among_held_out=True),
    )


def _unmeasurable(manifest: Manifest) -> str:
    """Returns the reason why the text cannot be restored from the shards; empty if it can."""
    if not any(manifest.total.splits[split].pairs for split in HELD_OUT):
        return "nothing is held out"
    return not_restorable(manifest)


def _documents_unmeasurable(config: PrepareConfig) -> str:
    """Returns the reason why whole documents cannot be compared; empty if they can."""
    if config.split_by == "tail":
        return "every document is in all splits, a part in each"
    if not config.boundaries:
        return "the shards do not tell where documents end, as there is no [EOS]"
    if config.stride > 1:
        return "with a stride above 1 the last tokens of a document may be in no pair"
    return ""


class _GramHasher:
    """Hashes the 13-grams of a split, block by block; 13-grams with [BOS] or [EOS] are left out."""

    def __init__(self, gram: int):
        self._gram = gram
        self._before: np.ndarray = np.empty(0, np.int64)

    def hashes(self, restored: RestoredIds) -> np.ndarray:
        """Returns uint64 [N], the hash of each 13-gram that ends in the restored ids."""
        ids = np.concatenate([self._before, restored.ids])
        indices = np.arange(len(ids))
        # Index at which the run of text of each id begins.
        begins: np.ndarray = np.zeros(len(ids), np.int64)
        starts = restored.starts + len(self._before)
        begins[starts] = starts
        marks = np.flatnonzero((ids == BOS) | (ids == EOS))
        begins[marks] = marks + 1
        begins = np.maximum.accumulate(begins)
        self._before = ids[max(begins[-1], len(ids) - self._gram + 1) :]
        whole = (indices - begins >= self._gram - 1)[self._gram - 1 :]
        return _hashed_grams(ids, self._gram)[whole]


def _hashed_grams(ids: np.ndarray, gram: int) -> np.ndarray:
    count = max(0, len(ids) - gram + 1)
    hashes, numbers = np.zeros(count, np.uint64), ids.astype(np.uint64)
    for i in range(gram):
        hashes = _mixed(hashes ^ numbers[i : i + count])
    return hashes


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Returns uint64 [N], a bijective mix of numbers uint64 [N] that spreads them over the range of uint64."""
    numbers = numbers * _MULTIPLIER
    return numbers ^ (numbers >> _HALF)


class DocumentHasher:
    """Hashes the documents of a split, each of which ends with [EOS].

    The hash is a polynomial in the ids, so that a document that crosses blocks is hashed block by block.
    """

    def __init__(self, min_known: int):
        """Begins a split; documents with fewer than `min_known` known tokens are left out."""
        self._min_known, self._known = min_known, 0
        self._hash: np.ndarray = np.zeros(1, np.uint64)

    def hashes(self, restored: RestoredIds) -> np.ndarray:
        """Returns uint64 [N], the hash of each document that is not left out and ends in the restored ids."""
        ids = restored.ids
        ends = np.flatnonzero(ids == EOS) + 1
        edges = np.unique(np.concatenate([[0], ends, [len(ids)]]))
        lengths = np.diff(edges)
        powers = np.cumprod(np.append(np.uint64(1), np.full(lengths.max(), _MULTIPLIER)))
        from_end = np.repeat(edges[1:], lengths) - 1 - np.arange(len(ids))
        hashes = np.add.reduceat(_mixed(ids.astype(np.uint64)) * powers[from_end], edges[:-1])
        known = np.add.reduceat((ids > EOS).astype(np.int64), edges[:-1])
        hashes[:1] += self._hash * powers[lengths[0]]
        known[0] += self._known
        goes_on = len(hashes) > len(ends)
        self._hash, self._known = (hashes[-1:], int(known[-1])) if goes_on else (np.zeros(1, np.uint64), 0)
        return hashes[: len(ends)][known[: len(ends)] >= self._min_known]


class _OverlapCounts:
    """Number of occurrences of each hash in the held-out splits, and whether the training split has it.

    It samples the hashes if more are expected than are kept.
    """

    def __init__(self, expected: int, size: ComparisonSize):
        self._hashes_at_once = size.hashes_at_once
        self._sampled_fraction = min(1.0, size.max_hashes / max(1, expected))
        self._highest = np.uint64(_LARGEST if self._sampled_fraction == 1 else int(_LARGEST * self._sampled_fraction))
        # uint64 [N], sorted, and uint32 [N, 2], a column of counts per held-out split.
        self._hashes, self._counts = np.empty(0, np.uint64), np.empty((0, len(HELD_OUT)), np.uint32)
        self._trained = np.empty(0, bool)
        self._gathered: list[np.ndarray] = []
        self._gathering = HELD_OUT[0]

    def add(self, split: str, hashes: np.ndarray) -> None:
        """Adds hashes of a split; the training split must come last.

        Args:
            split: name of the split.
            hashes: uint64 [N].
        """
        if split != self._gathering or sum(map(len, self._gathered)) >= self._hashes_at_once:
            self._merge_gathered()
            self._gathering = split
        self._gathered.append(hashes[hashes <= self._highest])

    def measure(self, *, among_held_out: bool) -> OverlapReport:
        """Returns the overlaps.

        Args:
            among_held_out: whether hashes that another held-out split has count as shared too.
        """
        self._merge_gathered()
        overlaps = {}
        for column, split in enumerate(HELD_OUT):
            counts = self._counts[:, column]
            shared: np.ndarray = self._trained
            if among_held_out:
                shared = shared | (np.delete(self._counts, column, axis=1) > 0).any(axis=1)
            overlaps[split] = Overlap(int(counts.sum()), int(counts[shared].sum()))
        return OverlapReport(overlaps, self._sampled_fraction)

    def _merge_gathered(self) -> None:
        """Merges the collected hashes into the sorted ones."""
        if not sum(map(len, self._gathered)):
            return
        hashes, counts = np.unique(np.concatenate(self._gathered), return_counts=True)
        self._gathered = []
        if self._gathering == "train" and not len(self._hashes):
            return
        if self._gathering == "train":
            indices = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
            self._trained[indices[self._hashes[indices] == hashes]] = True
            return
        every = np.sort(np.concatenate([self._hashes, hashes]))
        every = every[np.append(True, every[1:] != every[:-1])]
        table = np.zeros((len(every), len(HELD_OUT)), np.uint32)
        table[np.searchsorted(every, self._hashes)] = self._counts
        table[np.searchsorted(every, hashes), HELD_OUT.index(self._gathering)] += counts.astype(np.uint32)
        self._hashes, self._counts, self._trained = every, table, np.zeros(len(every), bool)
