"""The interface between streams, which compute the batches of any steps, and what serves them."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np

from textgen.dataset.loading.tuning import Tuning
from textgen.errors import require


class WorkerSlice(NamedTuple):
    """One worker's slice of each global batch; slice sizes differ by at most one.

    Attributes:
        worker: index of the worker.
        workers: number of workers.
    """

    worker: int
    workers: int

    def start(self, batch_size: int) -> int:
        """Returns the index of the first row of the slice."""
        return self.worker * batch_size // self.workers

    def size(self, batch_size: int) -> int:
        """Returns the number of rows in the slice."""
        return (self.worker + 1) * batch_size // self.workers - self.start(batch_size)


class ArraySpec(NamedTuple):
    """Specification of an array of a batch.

    Attributes:
        shape: shape of the array without the batch axis.
        dtype: dtype of the array.
    """

    shape: tuple[int, ...]
    dtype: np.dtype


Allocate: TypeAlias = Callable[[int], list[np.ndarray]]
"""Function from N, the number of pairs, to one uninitialised array [N, *shape] per `ArraySpec`."""


class BatchStream(Protocol):
    """Batches of one worker, computed for any range of steps.

    Attributes:
        arrays: specification of each array of a batch.
        part: slice of each global batch to serve.
        batch_size: B, number of pairs in a global batch.
        epochs: number of epochs; None for a stream without end.
        steps_per_epoch: number of steps per epoch.
        whole_steps: number of steps per epoch whose batch has B pairs: all, or all but the last.
        drop_remainder: whether all batches have B pairs.
        reshuffles: whether each iteration of a dataset continues with the epochs after those of the one before.
    """

    arrays: tuple[ArraySpec, ...]
    part: WorkerSlice
    batch_size: int
    epochs: int | None
    steps_per_epoch: int
    whole_steps: int
    drop_remainder: bool
    reshuffles: bool

    def fill_batches(self, first: int, end: int, allocate: Allocate) -> list[np.ndarray]:
        """Returns the arrays of the batches of steps [first, end) of one epoch, joined along the batch axis.

        Args:
            first: first step.
            end: step after the last; both count from the start of the stream.
            allocate: function that returns the arrays to fill.

        Returns:
            An array [N, ...] per item of `arrays`, for the N pairs of these steps.

        Raises:
            UserError: a shard is missing or damaged.
        """
        ...

    def release(self) -> None:
        """Frees the memory of the data read so far, which is read again on demand."""
        ...


def steps_left(stream: BatchStream, start_step: int) -> int | None:
    """Returns the number of steps from a step on; None for a stream without end.

    Raises:
        UserError: the step is out of range.
    """
    if stream.epochs is None:
        require(start_step >= 0, f"start step is {start_step}; it must be at least 0.")
        return None
    steps = stream.steps_per_epoch * stream.epochs
    require(0 <= start_step <= steps, f"start step is {start_step}; this stream has {steps} steps.")
    return steps - start_step


def steps_per_chunk(stream: BatchStream, tuning: Tuning) -> int:
    """Returns the number of steps that are computed at once, at least 1."""
    window = math.prod(stream.arrays[0].shape)
    pairs = max(1, min(tuning.chunk_pairs, tuning.chunk_ids // window))
    return max(1, pairs * stream.part.workers // stream.batch_size)


def compute_batches(stream: BatchStream, first: int, end: int) -> list[np.ndarray]:
    """Returns the arrays of steps [first, end) of one epoch, joined, in memory of their own; see `fill_batches`."""
    return stream.fill_batches(
        first, end, lambda pairs: [np.empty((pairs, *array.shape), array.dtype) for array in stream.arrays]
    )


def first_step(stream: BatchStream, start_step: int, iteration: int) -> int:
    """Returns the step with which an iteration of a stream begins, each with the epochs after those before."""
    return iteration * (stream.epochs or 1) * stream.steps_per_epoch + start_step
