"""Finds what texts have in common with the training text, which is read once.

Only the n-grams of the texts are kept in memory. They are looked up by 64-bit hashes, so that of a billion training
tokens one n-gram in a hundred million is found by chance. N-grams with reserved ids, such as [UNK], are left out, as
the words behind [UNK] may differ.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textgen.config import EOS
from textgen.dataset.storage.records import RestoredIds

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_FILTER_BITS = 20


class Match(NamedTuple):
    """Longest run of tokens that the training text has too.

    Attributes:
        length: number of tokens.
        ids: int64 [length], its ids; one of several that are as long.
    """

    length: int
    ids: np.ndarray


class CopySearch:
    """Compares sets of texts with the training text.

    The training text is given block by block to `read`; then the other methods are called.
    """

    def __init__(self, sets: Sequence[Sequence[np.ndarray]], lengths: Sequence[int]):
        """Indexes the n-grams of the texts.

        Args:
            sets: sets of texts, each int [T].
            lengths: all n, the numbers of tokens of the n-grams that are looked up.
        """
        self._texts = [_joined(texts) for texts in sets]
        self._lengths = lengths
        self._grams = {n: [_valid_hashes(ids, n) for ids in self._texts] for n in lengths}
        self._tables = {n: _HashTable(np.concatenate(self._grams[n])) for n in lengths}
        self._longest = [_Longest(ids) for ids in self._texts]
        self._overlap = max([1, *lengths, *(len(text) for texts in sets for text in texts)])
        self._before = np.empty(0, np.int64)

    def read(self, restored: RestoredIds) -> None:
        """Looks up all runs of tokens that end in a block of the training text."""
        old = len(self._before)
        ids = np.concatenate([self._before, restored.ids])
        runs = _Runs(ids, starts=restored.starts + old, first_end=old)
        for n, table in self._tables.items():
            table.find(runs.hashes(n))
        for longest in self._longest:
            longest.read(runs)
        self._before = ids[max(0, len(ids) - self._overlap) :]

    def shares(self, index: int) -> dict[int, float | None]:
        """Returns, by n, the share of the n-grams of a set of texts that the training text has; None without any."""
        return {n: self._tables[n].share(self._grams[n][index]) for n in self._lengths}

    def longest(self, index: int) -> Match:
        """Returns the longest run of tokens of a set of texts that the training text has."""
        return self._longest[index].match


class _Runs:
    """Ids with hashes of all their n-grams that neither hold a reserved id nor cross a document's start."""

    def __init__(self, ids: np.ndarray, *, starts: np.ndarray, first_end: int = 0):
        """Computes the sums from which the hash of any n-gram follows.

        Args:
            ids: int64 [T].
            starts: int [S], indices where a document starts.
            first_end: index of the first id at which n-grams are wanted to end.
        """
        self._ids, self._first_end = ids, first_end
        # Index at which the run of each id begins, beyond the id itself if it is reserved.
        begins = np.zeros(len(ids), np.int64)
        begins[starts] = starts
        reserved = np.flatnonzero(ids <= EOS)
        begins[reserved] = reserved + 1
        self._room = np.arange(1, len(ids) + 1) - np.maximum.accumulate(begins)
        # Of the ids a, b, …: a M + b M² + …, from whose differences the multiples of powers of M are divided out.
        spread = (ids.astype(np.uint64) + np.uint64(1)) * _MULTIPLIER
        spread ^= spread >> np.uint64(29)
        self._sums = np.append(np.uint64(0), np.cumsum(spread * _powers(len(ids), inverse=False)))

    def ends(self, n: int) -> np.ndarray:
        """Returns int [N], the index after each n-gram."""
        first = max(self._first_end, n - 1)
        return np.flatnonzero(self._room[first:] >= n) + first + 1

    def hashes(self, n: int, ends: np.ndarray | None = None) -> np.ndarray:
        """Returns uint64 [N], the hashes of the n-grams with given ends; of all of them by default."""
        ends = self.ends(n) if ends is None else ends
        starts = ends - n
        found: np.ndarray = (self._sums[ends] - self._sums[starts]) * _powers(len(self._ids), inverse=True)[starts]
        return found

    def ids_before(self, end: int, n: int) -> np.ndarray:
        """Returns int64 [n], the ids before an end."""
        return self._ids[end - n : end]

    def longer(self, ends: np.ndarray, n: int) -> np.ndarray:
        """Returns int [N], those of the given ends at which there is an n-gram."""
        return ends[self._room[ends - 1] >= n]


class _HashTable:
    """Hashes of n-grams, and which of them were found."""

    def __init__(self, hashes: np.ndarray):
        self._hashes = np.unique(hashes)
        self._found = np.zeros(len(self._hashes), bool)
        # Most n-grams of a corpus are in no text: a look at one byte tells, without a search.
        self._filter = np.zeros(1 << _FILTER_BITS, bool)
        self._filter[_bucket(self._hashes)] = True

    def find(self, hashes: np.ndarray) -> None:
        """Marks hashes, uint64 [N], as found."""
        self._found[np.searchsorted(self._hashes, hashes[self.has(hashes)])] = True

    def has(self, hashes: np.ndarray) -> np.ndarray:
        """Returns bool [N], whether the table has each hash."""
        possible = np.flatnonzero(self._filter[_bucket(hashes)])
        wanted = hashes[possible]
        indices = np.minimum(np.searchsorted(self._hashes, wanted), len(self._hashes) - 1)
        has = np.zeros(len(hashes), bool)
        has[possible[self._hashes[indices] == wanted]] = True
        return has

    def share(self, hashes: np.ndarray) -> float | None:
        """Returns the share of hashes, all of which the table has, that were found; None for no hashes."""
        return float(self._found[np.searchsorted(self._hashes, hashes)].mean()) if len(hashes) else None


class _Longest:
    """Longest n-gram of some texts that was found.

    Only n-grams of one token more than the longest so far are looked up, so that a block costs one look-up per token
    and a longer match a few more.
    """

    def __init__(self, ids: np.ndarray):
        self._ids, self.match = ids, Match(0, np.empty(0, np.int64))
        self._next = _HashTable(_valid_hashes(ids, 1))

    def read(self, runs: _Runs) -> None:
        """Looks for a longer match that ends in a block."""
        length = self.match.length + 1
        ends = runs.ends(length)
        ends = ends[self._next.has(runs.hashes(length, ends))]
        if not len(ends):
            return
        # A match of some length at an end implies the shorter ones there, so lengths may be tried in steps.
        step = 1
        while step:
            longer = runs.longer(ends, length + step)
            table = _HashTable(_valid_hashes(self._ids, length + step))
            longer = longer[table.has(runs.hashes(length + step, longer))]
            if len(longer):
                ends, length, step = longer, length + step, 2 * step
            else:
                step //= 2
        self.match = Match(length, runs.ids_before(int(ends[0]), length))
        self._next = _HashTable(_valid_hashes(self._ids, length + 1))


@functools.lru_cache(maxsize=2)
def _all_powers(count: int, *, inverse: bool) -> np.ndarray:
    powers = np.full(count, _INVERSE if inverse else _MULTIPLIER)
    powers[:1] = 1
    return np.cumprod(powers)


def _powers(count: int, *, inverse: bool) -> np.ndarray:
    """Returns uint64 [count], the powers of the multiplier, or of its inverse modulo 2⁶⁴."""
    return _all_powers(1 << max(10, (count - 1).bit_length()), inverse=inverse)[:count]


def _bucket(hashes: np.ndarray) -> np.ndarray:
    return hashes >> np.uint64(64 - _FILTER_BITS)


def _joined(texts: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the ids of texts one after another, int64 [T], with a reserved id after each."""
    parts = [part for text in texts for part in (np.asarray(text, np.int64), np.array([EOS]))]
    return np.concatenate([np.empty(0, np.int64), *parts])


def _valid_hashes(ids: np.ndarray, n: int) -> np.ndarray:
    return _Runs(ids, starts=np.empty(0, np.int64)).hashes(n)
