"""Chooses the pairs of each batch, as a pure function of the step that does not depend on the number of workers.

A batch of one source is the next B pairs of its stream; the last batch of an epoch may be smaller. A batch of several
sources has pairs of each, in random order, so that after every step the totals are in proportion to the weights.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from textgen.dataset.loading.shuffle import batch_order
from textgen.dataset.storage import ragged
from textgen.errors import require

_WITHOUT_END = 1 << 62
"""A position that no stream reaches."""


class SampledPairs(NamedTuple):
    """Pairs of one worker for consecutive steps.

    Attributes:
        sources: int [N], index of the source of each pair.
        positions: int [N], position of each pair in the stream of its source, ascending within a source.
    """

    sources: np.ndarray
    positions: np.ndarray


class BatchSampler:
    """Assigns pairs of the sources to the steps of a stream.

    Attributes:
        batch_size: B, number of pairs in a global batch.
        drop_remainder: whether the smaller last batch of an epoch is dropped.
        steps_per_epoch: number of steps that serve as many pairs as all sources have in total. With several sources
            the last one is filled with further pairs, or dropped if `drop_remainder` is set.
        whole_steps: number of those steps whose batch has B pairs: all, or all but the last.
    """

    def __init__(
        self,
        pairs: Sequence[int],
        weights: Sequence[float],
        *,
        batch_size: int,
        drop_remainder: bool,
        seed: int | None,
    ):
        """Computes the number of steps.

        Args:
            pairs: number of pairs of each source.
            weights: weight of each source, above 0.
            batch_size: B, number of pairs in a global batch.
            drop_remainder: whether to drop the last batch of an epoch if it is smaller than B.
            seed: seed of the order of sources in a batch; None for the pairs of one source after another.

        Raises:
            UserError: the batch is too small for the number of sources, or no batch has B pairs.
        """
        self._pairs, self._seed = pairs, seed
        self.batch_size, self.drop_remainder = batch_size, drop_remainder
        exact = [Fraction(weight).limit_denominator(1 << 20) for weight in weights]
        self._fractions = [weight / sum(exact) for weight in exact]
        self._heaviest = self._fractions.index(max(self._fractions))
        fewest = math.ceil((len(pairs) - 1) / self._fractions[self._heaviest])
        require(
            batch_size >= fewest,
            f"batch size is {batch_size}; with {len(pairs)} datasets of these weights it must be at least {fewest}: "
            "a batch has pairs of each. Raise it, or give the datasets more equal weights.",
        )
        self.steps_per_epoch = sum(pairs) // batch_size if drop_remainder else -(-sum(pairs) // batch_size)
        require(
            self.steps_per_epoch > 0,
            f"batch size is {batch_size}; a whole batch needs as many pairs, and there are {sum(pairs)}. Use at most "
            "as many, or serve the smaller last batch too.",
        )
        self.whole_steps = self.steps_per_epoch if len(pairs) > 1 else sum(pairs) // batch_size

    def sample(self, first: int, last: int, *, worker: int, workers: int) -> SampledPairs:
        """Returns a worker's slices of the batches of steps [first, last), joined.

        Args:
            first: first step, counted from the start of the stream.
            last: step after the last.
            worker: index of the worker.
            workers: number of workers.
        """
        if len(self._pairs) > 1:
            return self._mixed(first, last, worker, workers)
        epochs, steps = np.divmod(np.arange(first, last), self.steps_per_epoch)
        done = steps * self.batch_size
        sizes = np.minimum(self.batch_size, self._pairs[0] - done)
        slice_starts, slice_ends = worker * sizes // workers, (worker + 1) * sizes // workers
        starts, lengths = epochs * self._pairs[0] + done + slice_starts, slice_ends - slice_starts
        if np.array_equal(starts[1:], (starts + lengths)[:-1]):
            # The slices of consecutive steps are adjacent, as they are for a single worker.
            positions = np.arange(starts[0], starts[-1] + lengths[-1])
        else:
            positions = ragged.indices(starts, lengths)
        return SampledPairs(np.zeros(len(positions), np.int64), positions)

    def bounds(self, first: int, last: int | None) -> list[tuple[int, int]]:
        """Returns the positions [start, end) of the stream of each source that steps [first, last) read.

        Args:
            first: first step.
            last: step after the last; None for a stream without end.
        """
        if len(self._pairs) > 1:
            starts = self._taken(first).tolist()
            ends = [_WITHOUT_END] * len(starts) if last is None else self._taken(last).tolist()
            return list(zip(starts, ends, strict=True))
        start = self._start(first)
        if last is None:
            return [(start, _WITHOUT_END)]
        epoch_end = (last - 1) // self.steps_per_epoch * self._pairs[0] + self._pairs[0]
        return [(start, max(start, min(epoch_end, self._start(last - 1) + self.batch_size)))]

    def _start(self, step: int) -> int:
        """Returns the position of the first pair of a step in the stream of the only source."""
        epoch, step = divmod(step, self.steps_per_epoch)
        return epoch * self._pairs[0] + step * self.batch_size

    def _mixed(self, first: int, last: int, worker: int, workers: int) -> SampledPairs:
        """Does the same as `sample`, for at least two sources."""
        start, end = (edge * self.batch_size // workers for edge in (worker, worker + 1))
        sources, positions = [], []
        taken = self._taken(first)
        for step in range(first, last):
            following = self._taken(step + 1)
            order = batch_order(following - taken, seed=self._seed, step=step)
            of_step = np.empty_like(order)
            for source in range(len(taken)):
                rows = np.flatnonzero(order == source)
                of_step[rows] = taken[source] + np.arange(len(rows))
            sources.append(order[start:end])
            positions.append(of_step[start:end])
            taken = following
        return SampledPairs(np.concatenate(sources), np.concatenate(positions))

    def _taken(self, step: int) -> np.ndarray:
        """Returns int64 [sources], the number of pairs of each source that are served before a step."""
        taken = np.zeros(len(self._pairs), np.int64)
        served = step * self.batch_size
        for source, fraction in enumerate(self._fractions):
            taken[source] = int(served * fraction)
        # The heaviest source takes the rounding remainder.
        taken[self._heaviest] += served - taken.sum()
        return taken
