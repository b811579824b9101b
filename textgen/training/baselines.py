"""What counting alone predicts: a unigram, and a bigram and a trigram interpolated with it.

Of a target y let h be the n - 1 ids before it and h' the last n - 2 of these, which are of its own document. Let c
be how often the training split has them before and as targets, T its targets and V the ids. Then

    P1(y) = (c(y) + 1) / (T + V)
    Pn(y | h) = λ(h) c(h, y) / c(h) + (1 - λ(h)) Pn-1(y | h')

after Jelinek & Mercer 1980, "Interpolated estimation of Markov source parameters from sparse data". So a trigram is
λ3 ML3 + (1 - λ3) λ2 ML2 + (1 - λ3) (1 - λ2) P1. λ(h) is one number for all h of an order whose c(h) have as many
binary digits, as buckets of contexts by their counts in Chen & Goodman 1999, "An empirical study of smoothing
techniques for language modeling"; it is 0 where training never has h. EM finds it on the validation split.

Training may have more n-grams than memory holds. So those of the splits to fit on and to score are gathered first;
then training is streamed once, and of its n-grams only these are counted. The counts are exact, and memory grows with
what is held out.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textgen.config import PAD
from textgen.dataset import LAYOUTS, read_pairs
from textgen.dataset.storage.manifest import Manifest

NAMES = ("unigram", "bigram", "trigram")
"""By order, the unigram's being 1."""

_KEY_BITS = 63
_IDS_AT_ONCE = 1 << 19

FIRST_WEIGHTS = np.arange(64) / (np.arange(64) + 4)
"""float64 [64], λ by the binary digits of c(h), before it is fitted.

On five corpora, of words and of characters, they cost up to 0.07 nats against fitted ones.
"""

_PRIOR_TARGETS = 2
_ROUNDS = 50
"""Of EM; more changed no loss by 0.0001 nats on the same corpora."""


def losses(data: str | Path, manifest: Manifest, *, split: str) -> dict[str, float]:
    """Nats a target of each baseline on a split, by name and rising order.

    The training split has a unigram alone, since its n-grams are what the others know by heart. There is no trigram
    where the window is one token, and none where three ids don't fit in 63 bits, with over 2,097,152 of them.

    Raises:
        UserError: a split is empty or damaged.
        OSError: a file can't be read.
    """
    bits = (manifest.vocabulary_size - 1).bit_length()
    order = 1 if split == "train" else min(len(NAMES), manifest.config.window + 1, _KEY_BITS // bits)
    packing = Packing(bits, order)
    scored = gather(_pieces(data, manifest, split, packing))
    has_validation = order > 1 and manifest.total.splits["validation"].pairs > 0
    held_out = gather(_pieces(data, manifest, "validation", packing) if has_validation else [])
    model = Interpolation(np.union1d(scored.keys, held_out.keys), packing, vocabulary_size=manifest.vocabulary_size)
    for keys in _pieces(data, manifest, "train", packing):
        model.count(keys)
    model.fit(held_out)
    return {name: model.loss(scored, order=i) for i, name in enumerate(NAMES[:order], start=1)}


class Packing(NamedTuple):
    """How n-grams become int64 keys: the ids side by side, the target's in the lowest bits.

    Attributes:
        bits: of one id.
        order: n, the ids in a key, the target among them.
    """

    bits: int
    order: int

    def pack(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The keys int64 [N] of pairs X [N, W], padded on the right with PAD, and y [N].

        Where X has fewer ids than the context of a key, PAD stands for those before it.

        >>> [hex(key) for key in Packing(4, 3).pack(np.array([[2, 0, 0], [2, 7, 8]]), np.array([7, 9]))]
        ['0x27', '0x789']
        """
        keys, widths, rows = y.astype(np.int64), np.count_nonzero(x, axis=1), np.arange(len(x))
        for back in range(1, self.order):
            ids = np.where(widths >= back, x[rows, widths - back], PAD)
            keys |= ids.astype(np.int64) << back * self.bits
        return keys

    def shortened(self, keys: np.ndarray, *, order: int) -> np.ndarray:
        """The keys of the last `order` ids."""
        return keys & ((1 << order * self.bits) - 1)

    def contexts(self, keys: np.ndarray) -> np.ndarray:
        """The keys without their targets."""
        return keys >> self.bits


class Grams(NamedTuple):
    """Distinct n-grams: their keys int64 [G], rising, and how often each occurs, int64 [G]."""

    keys: np.ndarray
    times: np.ndarray


def gather(pieces: Iterable[np.ndarray]) -> Grams:
    """The distinct keys of pieces int64 [N], in memory that grows with these and one piece.

    >>> gather([np.array([7, 5, 7]), np.array([5, 9])])
    Grams(keys=array([5, 7, 9]), times=array([2, 2, 1]))
    """
    merged, waiting, waiting_keys = _merge([]), list[Grams](), 0
    for piece in pieces:
        waiting.append(Grams(*np.unique(piece, return_counts=True)))
        waiting_keys += len(waiting[-1].keys)
        # When they are as many as the merged ones, so that a key is sorted a few times and not once a piece.
        if waiting_keys > len(merged.keys):
            merged, waiting, waiting_keys = _merge([merged, *waiting]), [], 0
    return _merge([merged, *waiting])


def _merge(parts: list[Grams]) -> Grams:
    keys = np.concatenate([np.empty(0, np.int64), *(part.keys for part in parts)])
    distinct, which = np.unique(keys, return_inverse=True)
    times = np.zeros(len(distinct), np.int64)
    np.add.at(times, which, np.concatenate([np.empty(0, np.int64), *(part.times for part in parts)]))
    return Grams(distinct, times)


def _pieces(data: str | Path, manifest: Manifest, split: str, packing: Packing) -> Iterator[np.ndarray]:
    """The keys of all pairs of a split in the order of the corpus, many at a time."""
    window = manifest.config.window
    if LAYOUTS[manifest.config.layout].any_window:
        window = max(1, packing.order - 1)
    batch_size = max(1, _IDS_AT_ONCE // window)
    pairs = read_pairs(data, split=split, batch_size=batch_size, window=window, compact=True)
    for x, y in pairs.as_numpy_iterator():
        yield packing.pack(x, y)


class Interpolation:
    """Interpolated n-grams of every order up to that of a packing."""

    def __init__(self, wanted: np.ndarray, packing: Packing, *, vocabulary_size: int):
        """`wanted` int64 [N] are keys of the n-grams whose probabilities will be asked for."""
        self._packing = packing
        self._targets = np.zeros(vocabulary_size, np.int64)
        orders = range(2, packing.order + 1)
        self._grams = {order: _Counts(packing.shortened(wanted, order=order)) for order in orders}
        self._contexts = {order: _Counts(packing.contexts(grams.keys)) for order, grams in self._grams.items()}
        self._weights = dict.fromkeys(orders, FIRST_WEIGHTS)

    def count(self, keys: np.ndarray) -> None:
        """Adds training targets, keys int64 [N], to the counts."""
        targets = self._packing.shortened(keys, order=1)
        self._targets += np.bincount(targets, minlength=len(self._targets))
        for order, grams in self._grams.items():
            found, times = np.unique(self._packing.shortened(keys, order=order), return_counts=True)
            grams.add(found, times)
            self._contexts[order].add(self._packing.contexts(found), times)

    def fit(self, held_out: Grams) -> None:
        """Finds the weights, those of the lowest order first, that predict these n-grams best."""
        for order in self._grams:
            shares, buckets = self._terms(held_out.keys, order)
            lower = self.probabilities(held_out.keys, order=order - 1)
            for _ in range(_ROUNDS):
                self._weights[order] = reweighted(self._weights[order], shares, buckets, lower, held_out.times)

    def loss(self, grams: Grams, *, order: int) -> float:
        """Nats a target."""
        return float(-grams.times @ np.log(self.probabilities(grams.keys, order=order)) / grams.times.sum())

    def probabilities(self, keys: np.ndarray, *, order: int) -> np.ndarray:
        """float64 [N], the probability of each target after the last `order` - 1 ids of its context."""
        if order == 1:
            return (self._targets + 1)[self._packing.shortened(keys, order=1)] / (self._targets + 1).sum()
        shares, buckets = self._terms(keys, order)
        weights = self._weights[order][buckets]
        return weights * shares + (1 - weights) * self.probabilities(keys, order=order - 1)

    def _terms(self, keys: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        """c(h, y) / c(h) float64 [N], 0 where c(h) is, and the bucket int [N], the binary digits of c(h)."""
        grams = self._packing.shortened(keys, order=order)
        contexts = self._contexts[order].of(self._packing.contexts(grams))
        return self._grams[order].of(grams) / np.maximum(contexts, 1), np.frexp(contexts.astype(np.float64))[1]


class _Counts:
    """How often training has each of some keys; the others are not counted."""

    def __init__(self, keys: np.ndarray):
        self.keys = np.unique(keys)
        self._counts = np.zeros(len(self.keys), np.int64)

    def add(self, keys: np.ndarray, times: np.ndarray) -> None:
        """Counts those of the keys int64 [N] that are wanted, each so many times."""
        places, wanted = self._find(keys)
        np.add.at(self._counts, places[wanted], times[wanted])

    def of(self, keys: np.ndarray) -> np.ndarray:
        """int64 [N], 0 for a key that is not wanted."""
        places, wanted = self._find(keys)
        return np.where(wanted, self._counts[places], 0)

    def _find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return places, self.keys[places] == keys


def reweighted(
    weights: np.ndarray, shares: np.ndarray, buckets: np.ndarray, lower: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """One round of EM: of each bucket's targets the share that its own order gave, as expected, not the one below.

    Two targets more are given as FIRST_WEIGHTS says (the mode under a Beta prior). So a λ is never 1, by which a
    held-out target might have the probability 0, and stays as it was first where nothing is held out.

    Args:
        weights: float64 [64], λ by bucket.
        shares: float64 [G], c(h, y) / c(h).
        buckets: int [G], the binary digits of c(h).
        lower: float64 [G], the probability by the order below, above 0.
        times: int64 [G], how often each n-gram is a target.
    """
    own = weights[buckets] * shares
    expected = times * own / (own + (1 - weights[buckets]) * lower)
    given, total = (np.bincount(buckets, values, len(weights)) for values in (expected, times))
    return (given + _PRIOR_TARGETS * FIRST_WEIGHTS) / (total + _PRIOR_TARGETS)
