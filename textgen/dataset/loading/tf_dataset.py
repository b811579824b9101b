"""Turns a stream of batches into a `tf.data.Dataset`, which computes many steps at a time in threads of TensorFlow.

A stream can start at any step, and any number of workers can serve the same batches, each its own slice.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from textgen.dataset.loading.batch_stream import BatchStream, steps_left, steps_per_chunk
from textgen.dataset.loading.buffer_pool import BufferPool
from textgen.dataset.loading.tuning import DEFAULT_TUNING, Tuning
from textgen.lazy_tensorflow import tf

_IDLE_SECONDS, _MAX_SECONDS_TO_WAIT = 0.1, 20.0


def _unconverted(function: Callable[..., Any]) -> Callable[..., Any]:
    # None of these functions has control flow for Autograph, which would spend most of a second on their source code.
    converted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(function)
    return converted


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
        self._chunk_steps = steps_per_chunk(stream, tuning)
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
