"""N-gram baselines: a unigram, and a bigram and a trigram interpolated with it.

For a target y, h is the n - 1 ids before it in its document, and h' the last n - 2 of these. c counts occurrences in
the training split, T is its number of targets and V the vocabulary size. Then

    P1(y) = (c(y) + 1) / (T + V)
    Pn(y | h) = λ(h) c(h, y) / c(h) + (1 - λ(h)) Pn-1(y | h')

after Jelinek & Mercer 1980, "Interpolated estimation of Markov source parameters from sparse data". So a trigram is
λ3 ML3 + (1 - λ3) λ2 ML2 + (1 - λ3) (1 - λ2) P1. λ(h) is shared by all h of an order whose c(h) have the same
number of binary digits, as Chen & Goodman 1999, "An empirical study of smoothing techniques for language modeling",
bucket contexts by their counts; it is 0 if c(h) is 0. It is fitted on the validation split by EM.

The n-grams of the training split may not fit in memory. So the n-grams of the validation split and of the evaluated
split are collected first; then the training split is streamed once, and only these n-grams are counted. The counts
are exact, and memory grows only with the size of the held-out splits.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textgen.config import PAD
from textgen.dataset import LAYOUTS, read_pairs
from textgen.dataset.storage.manifest import Manifest

NAMES = ("unigram", "bigram", "trigram")
"""Names of the baselines by order, from 1."""

KEY_BITS = 63
"""Number of bits in which the ids of an n-gram are packed."""

_IDS_AT_ONCE = 1 << 19

FIRST_WEIGHTS = np.arange(64) / (np.arange(64) + 4)
"""float64 [64], initial λ by the number of binary digits of c(h).

On five corpora, of words and of characters, the loss with these weights is up to 0.07 nats above that with fitted
weights.
"""

_PRIOR_TARGETS = 2
_EM_ROUNDS = 50
"""Number of EM rounds; on the same corpora, further rounds change each loss by less than 0.0001 nats."""


def losses(data: str | Path, manifest: Manifest, *, split: str, key_bits: int = KEY_BITS) -> dict[str, float]:
    """Returns the loss of each baseline on a split in nats per target, by name in ascending order.

    The training split has only a unigram loss, since the other models are counted on its n-grams. There is no trigram
    if the window is one token, or if three ids do not fit in a key: with 63 bits, if the vocabulary has more than
    2,097,152 ids.

    Args:
        data: folder or URL of the dataset.
        manifest: the dataset's manifest.
        split: "train", "validation" or "test".
        key_bits: number of bits in which the ids of an n-gram are packed; at most 63.

    Raises:
        UserError: a split is empty or damaged.
        OSError: a file can't be read.
    """
    bits = (manifest.vocabulary_size - 1).bit_length()
    order = 1 if split == "train" else min(len(NAMES), manifest.config.window + 1, key_bits // bits)
    packing = Packing(bits, order)
    scored = count_keys(_key_batches(data, manifest, split, packing))
    has_validation = order > 1 and manifest.total.splits["validation"].pairs > 0
    held_out = count_keys(_key_batches(data, manifest, "validation", packing) if has_validation else [])
    model = Interpolation(np.union1d(scored.keys, held_out.keys), packing, vocabulary_size=manifest.vocabulary_size)
    for keys in _key_batches(data, manifest, "train", packing):
        model.count(keys)
    model.fit(held_out)
    return {name: model.loss(scored, order=i) for i, name in enumerate(NAMES[:order], start=1)}


class Packing(NamedTuple):
    """Packs n-grams into int64 keys: the ids in consecutive bit fields, the target in the lowest bits.

    Attributes:
        bits: number of bits per id.
        order: n, number of ids per key, including the target.
    """

    bits: int
    order: int

    def pack(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Returns the keys of pairs.

        Args:
            x: int [N, W], windows padded on the right with PAD. PAD fills the ids of a context that a window lacks.
            y: int [N], targets.

        Returns:
            int64 [N].

        >>> [hex(key) for key in Packing(4, 3).pack(np.array([[2, 0, 0], [2, 7, 8]]), np.array([7, 9]))]
        ['0x27', '0x789']
        """
        keys, widths, rows = y.astype(np.int64), np.count_nonzero(x, axis=1), np.arange(len(x))
        for back in range(1, self.order):
            ids = np.where(widths >= back, x[rows, widths - back], PAD)
            keys |= ids.astype(np.int64) << back * self.bits
        return keys

    def shortened(self, keys: np.ndarray, *, order: int) -> np.ndarray:
        """Returns the keys, int64 [N], of the last `order` ids of keys, int64 [N]."""
        return keys & ((1 << order * self.bits) - 1)

    def contexts(self, keys: np.ndarray) -> np.ndarray:
        """Returns keys, int64 [N], without their targets, int64 [N]."""
        return keys >> self.bits


class NgramCounts(NamedTuple):
    """Distinct n-grams and their counts.

    Attributes:
        keys: int64 [G], in ascending order.
        counts: int64 [G], count of each key.
    """

    keys: np.ndarray
    counts: np.ndarray


def count_keys(batches: Iterable[np.ndarray]) -> NgramCounts:
    """Returns the distinct keys of batches, each int64 [N], with their counts.

    Memory grows with the number of distinct keys and the size of one batch.

    >>> count_keys([np.array([7, 5, 7]), np.array([5, 9])])
    NgramCounts(keys=array([5, 7, 9]), counts=array([2, 2, 1]))
    """
    merged, waiting, waiting_keys = _merge([]), list[NgramCounts](), 0
    for keys in batches:
        waiting.append(NgramCounts(*np.unique(keys, return_counts=True)))
        waiting_keys += len(waiting[-1].keys)
        # Merging only when more keys wait than are merged sorts each key a few times instead of once per batch.
        if waiting_keys > len(merged.keys):
            merged, waiting, waiting_keys = _merge([merged, *waiting]), [], 0
    return _merge([merged, *waiting])


def _merge(tables: list[NgramCounts]) -> NgramCounts:
    """Returns the distinct keys of all tables with the sums of their counts."""
    keys = np.concatenate([np.empty(0, np.int64), *(table.keys for table in tables)])
    distinct, indices = np.unique(keys, return_inverse=True)
    counts = np.zeros(len(distinct), np.int64)
    np.add.at(counts, indices, np.concatenate([np.empty(0, np.int64), *(table.counts for table in tables)]))
    return NgramCounts(distinct, counts)


def _key_batches(data: str | Path, manifest: Manifest, split: str, packing: Packing) -> Iterator[np.ndarray]:
    """Yields the keys of all pairs of a split in batches, each int64 [N], in corpus order."""
    window = manifest.config.window
    if LAYOUTS[manifest.config.layout].any_window:
        window = max(1, packing.order - 1)
    batch_size = max(1, _IDS_AT_ONCE // window)
    pairs = read_pairs(data, split=split, batch_size=batch_size, window=window, compact=True)
    for x, y in pairs.as_numpy_iterator():
        yield packing.pack(x, y)


class Interpolation:
    """Interpolated n-gram models of all orders from 1 to that of a packing."""

    def __init__(self, wanted: np.ndarray, packing: Packing, *, vocabulary_size: int):
        """Starts with zero counts and FIRST_WEIGHTS.

        Args:
            wanted: int64 [N], keys of the n-grams to count; others are ignored.
            packing: packing of the keys.
            vocabulary_size: V, number of ids.
        """
        self._packing = packing
        self._targets = np.zeros(vocabulary_size, np.int64)
        orders = range(2, packing.order + 1)
        self._ngrams = {order: _Counts(packing.shortened(wanted, order=order)) for order in orders}
        self._contexts = {order: _Counts(packing.contexts(ngrams.keys)) for order, ngrams in self._ngrams.items()}
        self._weights = dict.fromkeys(orders, FIRST_WEIGHTS)

    def count(self, keys: np.ndarray) -> None:
        """Counts training n-grams by their keys, int64 [N]."""
        targets = self._packing.shortened(keys, order=1)
        self._targets += np.bincount(targets, minlength=len(self._targets))
        for order, ngrams in self._ngrams.items():
            found, counts = np.unique(self._packing.shortened(keys, order=order), return_counts=True)
            ngrams.add(found, counts)
            self._contexts[order].add(self._packing.contexts(found), counts)

    def fit(self, held_out: NgramCounts) -> None:
        """Fits the weights to held-out n-grams by EM, in ascending order of n."""
        for order in self._ngrams:
            frequencies, buckets = self._terms(held_out.keys, order)
            lower = self.probabilities(held_out.keys, order=order - 1)
            for _ in range(_EM_ROUNDS):
                self._weights[order] = em_step(self._weights[order], frequencies, buckets, lower, held_out.counts)

    def loss(self, ngrams: NgramCounts, *, order: int) -> float:
        """Returns the loss of the model of an order on n-grams, in nats per target."""
        return float(-ngrams.counts @ np.log(self.probabilities(ngrams.keys, order=order)) / ngrams.counts.sum())

    def probabilities(self, keys: np.ndarray, *, order: int) -> np.ndarray:
        """Returns the probability of each target given the last `order` - 1 ids of its context.

        Args:
            keys: int64 [N], keys of n-grams.
            order: n, order of the model.

        Returns:
            float64 [N].
        """
        if order == 1:
            return (self._targets + 1)[self._packing.shortened(keys, order=1)] / (self._targets + 1).sum()
        frequencies, buckets = self._terms(keys, order)
        weights = self._weights[order][buckets]
        return weights * frequencies + (1 - weights) * self.probabilities(keys, order=order - 1)

    def _terms(self, keys: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns c(h, y) / c(h), float64 [N], 0 if c(h) is 0, and the number of binary digits of c(h), int32 [N]."""
        ngrams = self._packing.shortened(keys, order=order)
        contexts = self._contexts[order].of(self._packing.contexts(ngrams))
        return self._ngrams[order].of(ngrams) / np.maximum(contexts, 1), np.frexp(contexts.astype(np.float64))[1]


class _Counts:
    """Counts of a fixed set of keys; other keys are ignored."""

    def __init__(self, keys: np.ndarray):
        """Starts with zero counts of `keys`, int64 [N]."""
        self.keys = np.unique(keys)
        self._counts = np.zeros(len(self.keys), np.int64)

    def add(self, keys: np.ndarray, counts: np.ndarray) -> None:
        """Adds `counts`, int64 [N], to the counts of `keys`, int64 [N]."""
        indices, wanted = self._find(keys)
        np.add.at(self._counts, indices[wanted], counts[wanted])

    def of(self, keys: np.ndarray) -> np.ndarray:
        """Returns the counts of keys, int64 [N]; 0 for a key outside the set."""
        indices, wanted = self._find(keys)
        return np.where(wanted, self._counts[indices], 0)

    def _find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the index of each key, int64 [N], and whether it is in the set, bool [N]."""
        indices = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return indices, self.keys[indices] == keys


def em_step(
    weights: np.ndarray, frequencies: np.ndarray, buckets: np.ndarray, lower: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Returns λ after one round of EM: the expected fraction of each bucket's targets that its own order generates.

    FIRST_WEIGHTS count as two additional targets per bucket (the mode under a Beta prior). So λ stays below 1, since
    at 1 a held-out target could have probability 0; a bucket without held-out targets keeps its first weight.

    Args:
        weights: float64 [64], λ by bucket.
        frequencies: float64 [G], c(h, y) / c(h).
        buckets: int [G], number of binary digits of c(h).
        lower: float64 [G], probability by the order below; above 0.
        counts: int64 [G], count of each n-gram.

    Returns:
        float64 [64].
    """
    own = weights[buckets] * frequencies
    expected = counts * own / (own + (1 - weights[buckets]) * lower)
    own_targets, total = (np.bincount(buckets, values, len(weights)) for values in (expected, counts))
    return (own_targets + _PRIOR_TARGETS * FIRST_WEIGHTS) / (total + _PRIOR_TARGETS)
