"""Serves batches as NumPy arrays, to a loop in Python, without TensorFlow."""

import collections
import inspect
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from textgen.dataset.loading.batch_stream import BatchStream, compute_batches, first_step, steps_left, steps_per_chunk
from textgen.dataset.loading.loader import read_pairs, read_sequences
from textgen.dataset.loading.mixture import Data
from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.streams import Stream, open_pairs, open_rows


def numpy_pairs(data: Data, **options: Any) -> "NumpyBatches":
    """Returns the batches of `read_pairs` as NumPy arrays (X int32 [B, W], y int32 [B]), for a loop in Python.

    They are taken several times as fast as from a `tf.data.Dataset`, and without TensorFlow, for example by JAX. With
    a seed, each iteration continues with the next epochs.

    Args:
        data: see `read_pairs`.
        **options: arguments of `read_pairs`, with the same defaults.

    Raises:
        UserError: as for `read_pairs`. A damaged shard raises a UserError when it is reached.

    Example:
        >>> for x, y in textgen.numpy_pairs("dataset", batch_size=256, seed=0):  # doctest: +SKIP
        ...     update(x, y)
    """
    return NumpyBatches(*open_stream("pairs", data, options))


def numpy_sequences(data: Data, **options: Any) -> "NumpyBatches":
    """Returns the batches of `read_sequences` as NumPy arrays; see `numpy_pairs`.

    Args:
        data: see `read_sequences`.
        **options: arguments of `read_sequences`, with the same defaults.

    Raises:
        UserError: as for `read_sequences`. A damaged shard raises a UserError when it is reached.
    """
    return NumpyBatches(*open_stream("rows", data, options))


def open_stream(kind: str, data: Data, options: dict[str, Any]) -> tuple[Stream, BatchStream]:
    """Opens a stream as `read_pairs` or `read_sequences` does with the same arguments.

    Args:
        kind: "pairs" or "rows".
        data: see `read_pairs`.
        options: keyword arguments of one of them.

    Raises:
        UserError: as for these.
    """
    bound = inspect.signature(read_pairs if kind == "pairs" else read_sequences).bind(data, **options)
    bound.apply_defaults()
    values = bound.arguments
    stream = Stream(**{name: values.pop(name) for name in Stream.__dataclass_fields__})
    if kind == "pairs":
        return stream, open_pairs(stream, compact=values.pop("compact"), options=LoadOptions(**values))
    own = {name: values.pop(name) for name in ("stateful", "restarts")}
    return stream, open_rows(stream, LoadOptions(**values, rows=True), **own)


class NumpyBatches:
    """Batches of a stream, which threads compute ahead, many steps at a time.

    The arrays of a batch are the caller's, who may change and keep them; some consecutive ones share their memory.
    """

    def __init__(self, stream: Stream, batches: BatchStream):
        """Makes the batches of a stream that is open.

        Raises:
            UserError: the start step is out of range.
        """
        self._stream, self._batches = stream, batches
        self._steps = steps_left(batches, stream.start_step)
        self._iterations = itertools.count()

    def __len__(self) -> int:
        """Returns the number of batches.

        Raises:
            TypeError: the stream has no end.
        """
        if self._steps is None:
            raise TypeError("the stream is infinite, since epochs is None.")
        return self._steps

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        """Returns the batches, with a seed those of the next epochs each time."""
        iteration = next(self._iterations) if self._batches.reshuffles else 0
        first = first_step(self._batches, self._stream.start_step, iteration)
        return self.serve(first, None if self._steps is None else first + self._steps)

    def serve(self, first: int, last: int | None) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields the batches of steps [first, last), counted from the start of the stream; None for no end."""
        threads = self._stream.tuning.parallel_chunks
        pool = ThreadPoolExecutor(threads, thread_name_prefix="batches")
        submitted = (
            (pool.submit(compute_batches, self._batches, *chunk), chunk) for chunk in self._chunks(first, last)
        )
        try:
            ahead = collections.deque(itertools.islice(submitted, threads + 1))
            while ahead:
                computed, (begin, end) = ahead.popleft()
                arrays = computed.result()
                ahead.extend(itertools.islice(submitted, 1))
                size = len(arrays[0]) // (end - begin)
                for step in range(end - begin):
                    yield tuple(array[step * size : (step + 1) * size] for array in arrays)
        finally:
            pool.shutdown(cancel_futures=True)
            self._batches.release()

    def _chunks(self, first: int, last: int | None) -> Iterator[tuple[int, int]]:
        """Yields the steps [first, end) of each chunk, all of one epoch, and of whole batches or one smaller one."""
        batches, steps = self._batches, steps_per_chunk(self._batches, self._stream.tuning)
        while last is None or first < last:
            epoch = first - first % batches.steps_per_epoch
            whole = epoch + batches.whole_steps
            end = min(first + steps, whole) if first < whole else epoch + batches.steps_per_epoch
            yield first, end
            first = end
