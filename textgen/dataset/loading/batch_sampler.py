"""Which pairs each step's batch holds: a pure function of the step, whoever asks and however many they are.

A batch of one source is the next B pairs of its stream, and the last of an epoch may be shorter. A batch of several
has so many of each that after every step the sums are as their weights want them, and draws their order.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from textgen.dataset.loading.shuffle import batch_order
from textgen.dataset.storage import ragged
from textgen.errors import require


class SampledPairs(NamedTuple):
    """What one worker needs for some steps on end.

    Attributes:
        sources: int[N], the source of each pair.
        places: int[N], its place in the stream of its source; rising within a source.
    """

    sources: np.ndarray
    places: np.ndarray


class BatchSampler:
    """The steps of a stream.

    Attributes:
        batch_size: B.
        epochs: how many there are.
        drop_remainder: whether an epoch's short batch is left out.
        steps_per_epoch: the steps in which as many pairs are served as all sources have.
        whole_steps: those of them whose batch has B pairs: all, or all but the last.
        steps: those of all epochs.
    """

    def __init__(
        self,
        pairs: Sequence[int],
        weights: Sequence[float],
        *,
        batch_size: int,
        epochs: int,
        drop_remainder: bool,
        seed: int | None,
    ):
        """`pairs` are those of each source in an epoch; `drop_remainder` leaves an epoch's short batch out.

        Raises:
            UserError: the batch is too small for so many sources.
        """
        require(epochs >= 1, f"epochs is {epochs}; it must be at least 1.")
        self._pairs, self._seed = pairs, seed
        self.batch_size, self.epochs, self.drop_remainder = batch_size, epochs, drop_remainder
        exact = [Fraction(weight).limit_denominator(1 << 20) for weight in weights]
        self._shares = [weight / sum(exact) for weight in exact]
        self._heaviest = self._shares.index(max(self._shares))
        fewest = math.ceil((len(pairs) - 1) / self._shares[self._heaviest])
        require(
            batch_size >= fewest, f"batch size is {batch_size}; a batch of {len(pairs)} sources has {fewest} or more."
        )
        self.steps_per_epoch = sum(pairs) // batch_size if drop_remainder else -(-sum(pairs) // batch_size)
        require(
            self.steps_per_epoch > 0,
            f"batch size is {batch_size}; a whole batch needs as many pairs, and there are {sum(pairs)}.",
        )
        self.whole_steps = self.steps_per_epoch if len(pairs) > 1 else sum(pairs) // batch_size
        self.steps = self.steps_per_epoch * epochs

    def sample(self, first: int, last: int, *, worker: int, workers: int) -> SampledPairs:
        """A worker's part of the batches from step `first` to before step `last`."""
        if len(self._pairs) > 1:
            return self._mixed(first, last, worker, workers)
        epochs, steps = np.divmod(np.arange(first, last), self.steps_per_epoch)
        done = steps * self.batch_size
        sizes = np.minimum(self.batch_size, self._pairs[0] - done)
        begins, ends = worker * sizes // workers, (worker + 1) * sizes // workers
        starts, lengths = epochs * self._pairs[0] + done + begins, ends - begins
        if np.array_equal(starts[1:], (starts + lengths)[:-1]):
            # One worker's steps lie on end.
            places = np.arange(starts[0], starts[-1] + lengths[-1])
        else:
            places = ragged.places(starts, lengths)
        return SampledPairs(np.zeros(len(places), np.int64), places)

    def end(self, source: int) -> int:
        """The place after the last that the stream of a source is asked for."""
        if len(self._pairs) > 1:
            return int(self._taken(self.steps)[source])
        last_epoch = min(self._pairs[0], self.steps_per_epoch * self.batch_size)
        return self.steps // self.steps_per_epoch * self._pairs[0] - self._pairs[0] + last_epoch

    def _mixed(self, first: int, last: int, worker: int, workers: int) -> SampledPairs:
        begin, end = (part * self.batch_size // workers for part in (worker, worker + 1))
        sources, places = [], []
        taken = self._taken(first)
        for step in range(first, last):
            following = self._taken(step + 1)
            drawn = batch_order(following - taken, seed=self._seed, step=step)
            place = np.empty_like(drawn)
            for source in range(len(taken)):
                mine = np.flatnonzero(drawn == source)
                place[mine] = taken[source] + np.arange(len(mine))
            sources.append(drawn[begin:end])
            places.append(place[begin:end])
            taken = following
        return SampledPairs(np.concatenate(sources), np.concatenate(places))

    def _taken(self, step: int) -> np.ndarray:
        """int[sources], how many pairs of each stream are served before a step."""
        taken = np.zeros(len(self._pairs), np.int64)
        served = step * self.batch_size
        for source, share in enumerate(self._shares):
            taken[source] = int(served * share)
        # What roundings leave.
        taken[self._heaviest] += served - taken.sum()
        return taken
