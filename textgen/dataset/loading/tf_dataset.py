"""Turns a stream of batches into a `tf.data.Dataset`, which computes many steps at a time in threads of TensorFlow.

A stream can start at any step, and any number of workers can serve the same batches, each its own slice.
"""

import atexit
import contextlib
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import tensorflow as tf

from textgen.dataset.loading.buffer_pool import BufferPool
from textgen.dataset.loading.tuning import DEFAULT_TUNING, Tuning
from textgen.errors import require

_IDLE_SECONDS, _MAX_SECONDS_TO_WAIT = 0.1, 20.0

# None of these functions has control flow for Autograph, which would spend most of a second on their source code.
_unconverted = tf.autograph.experimental.do_not_convert


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


class BatchDataset:
    """Builds datasets from a `BatchStream`."""

    def __init__(self, stream: BatchStream, *, tuning: Tuning = DEFAULT_TUNING):
        """Computes the number of steps per chunk.

        Args:
            stream: the batches.
            tuning: size and parallelism of the chunks.
        """
        self._stream, self._parallel_chunks = stream, tuning.parallel_chunks
        self._steps = None if stream.epochs is None else stream.steps_per_epoch * stream.epochs
        window = math.prod(stream.arrays[0].shape)
        chunk = max(1, min(tuning.chunk_pairs, tuning.chunk_ids // window))
        self._chunk_steps = max(1, chunk * stream.part.workers // stream.batch_size)
        self._buffers = [BufferPool() for _ in stream.arrays]

    def dataset(self, start_step: int) -> tf.data.Dataset:
        """Returns the batches from a step on, as a dataset of known or infinite cardinality.

        Iteration i of a dataset that reshuffles serves the batches that are i times the number of epochs later, or i
        epochs if there is no end; so every iteration has the same number of batches.

        Args:
            start_step: first step; the number of steps gives an empty dataset.

        Raises:
            UserError: the step is out of range.
        """
        stream, steps = self._stream, steps_left(self._stream, start_step)
        first_epoch, skipped = divmod(start_step, stream.steps_per_epoch)
        # TensorFlow counts steps in 64 bits.
        epochs = stream.epochs or (1 << 62) // stream.steps_per_epoch

        @_unconverted
        def numbered(earlier: tf.Tensor) -> tf.data.Dataset:
            """Returns the epochs of an iteration, each with the number of steps to skip."""
            first = earlier + first_epoch
            return tf.data.Dataset.range(first, earlier + epochs).map(
                lambda epoch: (epoch, tf.where(tf.equal(epoch, first), tf.constant(skipped, tf.int64), 0))
            )

        dataset = self._earlier_epochs().flat_map(numbered).flat_map(_unconverted(self._epoch))
        left = tf.data.INFINITE_CARDINALITY if steps is None else steps
        # No `prefetch`: chunks are computed ahead, and slicing a batch from one is cheaper than a thread switch.
        return dataset.apply(tf.data.experimental.assert_cardinality(left))

    def _earlier_epochs(self) -> tf.data.Dataset:
        """Returns a dataset of one element, int64, the number of epochs that earlier iterations of it have begun."""
        if not self._stream.reshuffles:
            return tf.data.Dataset.from_tensors(tf.constant(0, tf.int64))
        iterations = itertools.count()

        def count(_: np.int64) -> np.int64:
            return np.int64(next(iterations) * (self._stream.epochs or 1))

        @_unconverted
        def counted(element: tf.Tensor) -> tf.Tensor:
            return tf.ensure_shape(tf.numpy_function(count, [element], tf.int64, stateful=False), [])

        return tf.data.Dataset.range(1).map(counted)

    def _epoch(self, epoch: tf.Tensor, skipped: tf.Tensor) -> tf.data.Dataset:
        stream = self._stream
        start = epoch * stream.steps_per_epoch
        first, whole = start + skipped, start + stream.whole_steps
        batches = self._chunks(first, whole, self._chunk_steps).rebatch(
            stream.part.size(stream.batch_size), drop_remainder=stream.drop_remainder
        )
        if stream.whole_steps == stream.steps_per_epoch:
            return batches
        return batches.concatenate(self._chunks(tf.maximum(first, whole), start + stream.steps_per_epoch, 1))

    def _chunks(self, first: tf.Tensor, end: tf.Tensor, steps: int) -> tf.data.Dataset:
        """Returns the pairs of steps [first, end), with up to `steps` steps per element."""
        return tf.data.Dataset.range(first, end, steps).map(
            lambda step: self._tensors(step, tf.minimum(step + steps, end)),
            num_parallel_calls=self._parallel_chunks,
            deterministic=True,
        )

    def _tensors(self, first: tf.Tensor, end: tf.Tensor) -> tuple[tf.Tensor, ...]:
        arrays = self._stream.arrays
        dtypes = [tf.as_dtype(array.dtype) for array in arrays]
        made = tf.numpy_function(self._chunk, [first, end], dtypes, stateful=False)
        return tuple(
            tf.ensure_shape(tensor, [None, *array.shape]) for tensor, array in zip(made, arrays, strict=True)
        )

    def _chunk(self, first: np.int64, end: np.int64) -> list[np.ndarray]:
        """Returns the arrays of steps [first, end)."""
        with _CALLS.counted():
            made = self._stream.fill_batches(int(first), int(end), self._allocate)
            if self._steps is not None and end % self._steps == 0:
                self._stream.release()
                for buffers in self._buffers:
                    buffers.release()
            return made

    def _allocate(self, pairs: int) -> list[np.ndarray]:
        return [
            buffers.take((pairs, *array.shape), array.dtype)
            for buffers, array in zip(self._buffers, self._stream.arrays, strict=True)
        ]


class _Calls:
    """Counts calls from TensorFlow's threads into Python, in order to wait for them at exit.

    A thread that runs Python code when the interpreter exits never returns, and TensorFlow waits for it forever. So
    the exit is delayed until the buffers of the streams are full and no thread calls Python.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running, self._last = 0, -math.inf

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Counts the call made inside the context."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._last = time.monotonic()

    def wait_until_idle(self) -> None:
        """Waits until there has been no call for a short time, up to a maximum time."""
        deadline = time.monotonic() + _MAX_SECONDS_TO_WAIT
        while not self._is_idle() and time.monotonic() < deadline:
            time.sleep(_IDLE_SECONDS / 10)

    def _is_idle(self) -> bool:
        with self._lock:
            return not self._running and time.monotonic() - self._last > _IDLE_SECONDS


_CALLS = _Calls()
atexit.register(_CALLS.wait_until_idle)
