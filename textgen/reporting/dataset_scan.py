"""Reads the text of a dataset once, for the figures of a report that the manifest does not have."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textgen.config import EOS, SPLITS, UNK
from textgen.dataset.storage.contamination import DocumentHasher
from textgen.dataset.storage.manifest import Manifest
from textgen.dataset.storage.records import RestoredIds
from textgen.dataset.storage.restored_text import read_restored

_CONTEXT = 8
"""Number of tokens that are shown on either side of an unknown one."""

_PASSAGES = 8
_MAX_HASHES = 1 << 20


class Passage(NamedTuple):
    """An unknown token with the tokens around it.

    Attributes:
        before: ids before it.
        after: ids after it.
    """

    before: list[int]
    after: list[int]


@dataclasses.dataclass
class SplitScan:
    """Findings of one reading of a split.

    Attributes:
        lengths: number of documents by their number of tokens.
        unknown: some unknown tokens, from anywhere in the split.
        compared: number of documents that were compared with each other.
        repeated: number of these whose tokens an earlier one has too.
    """

    lengths: Counter[int]
    unknown: list[Passage]
    compared: int = 0
    repeated: int = 0


def scan(directory: str | Path, manifest: Manifest) -> dict[str, SplitScan]:
    """Returns what is found in each split that has documents, in one pass over the shards.

    Memory does not grow with the dataset: of more than a million documents, a sample by their hash is compared.

    Args:
        directory: folder of the dataset, local or a URL.
        manifest: its manifest, whose layout can restore the text.

    Raises:
        UserError: a shard is missing or damaged.
    """
    found = {}
    for split in SPLITS:
        if not manifest.total.splits[split].pairs:
            continue
        lengths, unknown, repeats = _Lengths(), _Unknown(), _Repeats()
        for block in read_restored(directory, manifest, split):
            lengths.read(block)
            unknown.read(block)
            if manifest.config.boundaries:
                repeats.read(block)
        found[split] = SplitScan(lengths.end(), unknown.passages(), *repeats.counts())
    return found


class _Lengths:
    """Counts the tokens of documents."""

    def __init__(self) -> None:
        self._counts, self._open = Counter[int](), -1

    def read(self, block: RestoredIds) -> None:
        """Adds the documents that end in a block."""
        is_token = (block.ids > EOS) | (block.ids == UNK)
        edges = np.append(block.starts, len(block.ids))
        sums = np.append(0, np.cumsum(is_token))
        if edges[0]:
            self._open = max(self._open, 0) + int(sums[edges[0]])
        lengths = np.diff(sums[edges])
        if not len(lengths):
            return
        self._end_open()
        values, counts = np.unique(lengths[:-1], return_counts=True)
        self._counts.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        self._open = int(lengths[-1])

    def end(self) -> Counter[int]:
        """Returns the counts, with the last document."""
        self._end_open()
        return self._counts

    def _end_open(self) -> None:
        if self._open >= 0:
            self._counts[self._open] += 1
        self._open = -1


class _Unknown:
    """Keeps some unknown tokens of all blocks."""

    def __init__(self) -> None:
        self._random, self._kept = np.random.RandomState(0), list[tuple[float, Passage]]()

    def read(self, block: RestoredIds) -> None:
        """Takes some unknown tokens of a block, if there are any."""
        places = np.flatnonzero(block.ids == UNK)
        chosen = (
            places[self._random.randint(len(places), size=min(len(places), _PASSAGES))] if len(places) else places
        )
        for place in np.unique(chosen).tolist():
            self._kept.append((self._random.random_sample(), _passage(block.ids, place)))
        self._kept = sorted(self._kept)[:_PASSAGES]

    def passages(self) -> list[Passage]:
        """Returns what was kept."""
        return [passage for _, passage in self._kept]


def _passage(ids: np.ndarray, place: int) -> Passage:
    """Returns an unknown token with its neighbours, up to the borders of its document."""
    before, after = ids[max(0, place - _CONTEXT) : place], ids[place + 1 : place + 1 + _CONTEXT]
    borders_before, borders_after = (np.flatnonzero((part <= EOS) & (part != UNK)) for part in (before, after))
    before = before[borders_before[-1] + 1 if len(borders_before) else 0 :]
    after = after[: borders_after[0] if len(borders_after) else len(after)]
    return Passage(before.tolist(), after.tolist())


class _Repeats:
    """Counts documents whose tokens an earlier document has.

    If there are too many, those with the lowest hashes are compared, so that of equal documents all are, or none.
    """

    def __init__(self) -> None:
        self._hasher, self._highest = DocumentHasher(1), np.uint64((1 << 64) - 1)
        # uint64 [N], sorted, and int64 [N], how often each occurs.
        self._hashes, self._counts = np.empty(0, np.uint64), np.empty(0, np.int64)
        self._gathered = list[np.ndarray]()

    def read(self, block: RestoredIds) -> None:
        """Adds the documents that end in a block."""
        hashes = self._hasher.hashes(block)
        self._gathered.append(hashes[hashes <= self._highest])
        if sum(map(len, self._gathered)) > _MAX_HASHES:
            self._merge()

    def counts(self) -> tuple[int, int]:
        """Returns the number of documents that were compared, and of those that repeat another one."""
        self._merge()
        compared = int(self._counts.sum())
        return compared, compared - len(self._hashes)

    def _merge(self) -> None:
        gathered = np.concatenate([self._hashes, *self._gathered])
        weights = np.concatenate([self._counts, *(np.ones(len(part), np.int64) for part in self._gathered)])
        hashes, indices = np.unique(gathered, return_inverse=True)
        counts = np.bincount(indices, weights, len(hashes)).astype(np.int64)
        if len(hashes) > _MAX_HASHES:
            self._highest = hashes[_MAX_HASHES // 2]
        kept = hashes <= self._highest
        self._hashes, self._counts, self._gathered = hashes[kept], counts[kept], []
