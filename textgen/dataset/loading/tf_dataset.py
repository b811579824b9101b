"""Serves batches as a `tf.data.Dataset`: computed in chunks of many steps, in threads of TensorFlow.

A stream can begin at any step, and any number of workers serve the same batches, each its slice of them.
"""

import atexit
import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import tensorflow as tf

from textgen.dataset.loading.buffer_pool import BufferPool
from textgen.errors import require

_CHUNK_PAIRS = 16_384
"""Pairs that are cut at once: many, since each call takes a while, but few enough for the processor's cache."""

_CHUNK_IDS = 1 << 20
"""The ids in their windows at the most, so that chunks of wide windows don't fill the memory."""

_PARALLEL_CHUNKS = min(4, os.cpu_count() or 1)

_QUIET_SECONDS, _MOST_SECONDS_TO_QUIET = 0.1, 20.0


class WorkerSlice(NamedTuple):
    """Which of how many equal parts of every batch."""

    worker: int
    workers: int

    def begin(self, batch_size: int) -> int:
        """The first pair of this part of a batch."""
        return self.worker * batch_size // self.workers

    def size(self, batch_size: int) -> int:
        """The pairs in this part of a batch."""
        return (self.worker + 1) * batch_size // self.workers - self.begin(batch_size)


class ArraySpec(NamedTuple):
    """An array that a batch has: the shape of a pair's part of it, and its dtype."""

    shape: tuple[int, ...]
    dtype: np.dtype


Allocate: TypeAlias = Callable[[int], list[np.ndarray]]
"""Makes the arrays of so many pairs, [N, *shape] each, to be filled."""


class BatchStream(Protocol):
    """What is served, step by step, to one worker.

    Attributes:
        arrays: those of a batch.
        part: which slice of every batch is served.
        batch_size: B, the pairs that all workers take in a step.
        epochs: how many there are.
        steps_per_epoch: the steps of each.
        whole_steps: those of them whose batch has B pairs: all, or all but the last.
        drop_remainder: whether an epoch has whole batches alone.
    """

    arrays: tuple[ArraySpec, ...]
    part: WorkerSlice
    batch_size: int
    epochs: int
    steps_per_epoch: int
    whole_steps: int
    drop_remainder: bool

    def cut(self, first: int, end: int, empty: Allocate) -> list[np.ndarray]:
        """The slices of the batches from step `first` to before `end`, which are of one epoch, on end.

        Raises:
            UserError: a shard is missing or damaged.
        """
        ...

    def release(self) -> None:
        """Frees the memory of what was read; it is read again when it is asked for."""
        ...


class BatchDataset:
    """BatchStream as datasets."""

    def __init__(self, steps: BatchStream):
        self._served = steps
        self._steps = steps.steps_per_epoch * steps.epochs
        window = math.prod(steps.arrays[0].shape)
        chunk = max(1, min(_CHUNK_PAIRS, _CHUNK_IDS // window))
        self._chunk_steps = max(1, chunk * steps.part.workers // steps.batch_size)
        self._buffers = [BufferPool() for _ in steps.arrays]

    def dataset(self, start_step: int) -> tf.data.Dataset:
        """The batches from a step on; their number is known.

        Raises:
            UserError: there is no such step.
        """
        served = self._served
        require(0 <= start_step <= self._steps, f"start step is {start_step}; this stream has {self._steps} steps.")
        first_epoch, skipped = divmod(start_step, served.steps_per_epoch)
        dataset = tf.data.Dataset.range(first_epoch, served.epochs).flat_map(
            lambda epoch: self._epoch(
                epoch, tf.where(tf.equal(epoch, first_epoch), tf.constant(skipped, tf.int64), 0)
            )
        )
        # Without `prefetch`: chunks are cut ahead, and to take a batch out of one is cheaper than to hand it from
        # thread to thread.
        return dataset.apply(tf.data.experimental.assert_cardinality(self._steps - start_step))

    def _epoch(self, epoch: tf.Tensor, skipped: tf.Tensor) -> tf.data.Dataset:
        served = self._served
        begin = epoch * served.steps_per_epoch
        first, whole = begin + skipped, begin + served.whole_steps
        batches = self._chunks(first, whole, self._chunk_steps).rebatch(
            served.part.size(served.batch_size), drop_remainder=served.drop_remainder
        )
        if served.whole_steps == served.steps_per_epoch:
            return batches
        return batches.concatenate(self._chunks(tf.maximum(first, whole), begin + served.steps_per_epoch, 1))

    def _chunks(self, first: tf.Tensor, end: tf.Tensor, steps: int) -> tf.data.Dataset:
        """The pairs of the steps from `first` to before `end`, those of so many steps an element."""
        return tf.data.Dataset.range(first, end, steps).map(
            lambda step: self._tensors(step, tf.minimum(step + steps, end)),
            num_parallel_calls=_PARALLEL_CHUNKS,
            deterministic=True,
        )

    def _tensors(self, first: tf.Tensor, end: tf.Tensor) -> tuple[tf.Tensor, ...]:
        arrays = self._served.arrays
        dtypes = [tf.as_dtype(array.dtype) for array in arrays]
        made = tf.numpy_function(self._chunk, [first, end], dtypes, stateful=False)
        return tuple(
            tf.ensure_shape(tensor, [None, *array.shape]) for tensor, array in zip(made, arrays, strict=True)
        )

    def _chunk(self, first: np.int64, end: np.int64) -> list[np.ndarray]:
        """The arrays of some steps on end."""
        with _CALLS.counted():
            made = self._served.cut(int(first), int(end), self._empty)
            if end == self._steps:
                self._served.release()
                for buffers in self._buffers:
                    buffers.release()
            return made

    def _empty(self, pairs: int) -> list[np.ndarray]:
        return [
            buffers.take((pairs, *array.shape), array.dtype)
            for buffers, array in zip(self._buffers, self._served.arrays, strict=True)
        ]


class _Calls:
    """The calls from TensorFlow's threads into Python.

    A thread that is inside when Python ends never comes out, and TensorFlow waits for it for ever. So Python waits
    first, until the buffers of the streams are full and no thread comes any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside, self._last = 0, -math.inf

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Around one call."""
        with self._lock:
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                self._last = time.monotonic()

    def wait_for_quiet(self) -> None:
        """Until there has been no call for a while."""
        deadline = time.monotonic() + _MOST_SECONDS_TO_QUIET
        while not self._is_quiet() and time.monotonic() < deadline:
            time.sleep(_QUIET_SECONDS / 10)

    def _is_quiet(self) -> bool:
        with self._lock:
            return not self._inside and time.monotonic() - self._last > _QUIET_SECONDS


_CALLS = _Calls()
atexit.register(_CALLS.wait_for_quiet)
