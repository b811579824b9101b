"""Streams the pairs of datasets as batches, from either layout, in flat memory.

A batch's way: the schedule says which places of which source a step holds, the source which group of blocks they are
in and what their order is, the group cuts them. Each is a pure function, so a stream can begin at any step, and
any number of workers serve the same batches, each its slice of them.
"""

import atexit
import contextlib
import math
import os
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from textgen.dataset.buffers import Buffers
from textgen.dataset.choice import Choice
from textgen.dataset.mixture import Data, Mixture
from textgen.dataset.schedule import Schedule
from textgen.errors import require
from textgen.files import Cache

_CHUNK_PAIRS = 16_384
"""Pairs that are cut at once: many, since each call takes a while, but few enough for the processor's cache."""

_PARALLEL_CHUNKS = min(4, os.cpu_count() or 1)

_QUIET_SECONDS, _MOST_SECONDS_TO_QUIET = 0.1, 20.0


class Slice(NamedTuple):
    """Which of how many equal parts of every batch."""

    worker: int
    workers: int

    def size(self, batch_size: int) -> int:
        """The pairs in this part of a batch."""
        return (self.worker + 1) * batch_size // self.workers - self.worker * batch_size // self.workers


def read_pairs(
    data: Data,
    *,
    split: str = "train",
    batch_size: int,
    seed: int | None = None,
    epochs: int = 1,
    start_step: int = 0,
    worker: int = 0,
    workers: int = 1,
    window: int | None = None,
    stride: int | None = None,
    min_context: int = 1,
    fraction: float = 1.0,
    drop_remainder: bool = False,
    compact: bool = False,
    cache: Cache | None = None,
) -> tf.data.Dataset:
    """The pairs of a split as batches (X int32 [B, W], y int32 [B]); X is padded on the right with 0.

    Of several datasets each batch holds pairs in the proportion of their weights, and an epoch is as many pairs as
    they have together.

    Args:
        data: a folder that `textgen prepare` made, local or remote (`gs://…`, `s3://…`), or several with weights.
        split: "train", "validation" or "test".
        batch_size: B, the pairs that all workers take in a step. An epoch's last batch may be shorter.
        seed: shuffles every epoch anew; None serves the order of the corpus.
        epochs: how often the split is served.
        start_step: how many batches of this very stream to leave out at its start; they are not read.
        worker: which slice of every batch to serve, of `workers` slices of sizes as equal as can be; of a short
            batch one may be empty.
        workers: among how many every batch is shared out. The batches don't depend on it.
        window: W, at most what the shards hold; None for that of the preparation. Of `spans` alone, as are:
        stride: serves every so manieth target; a multiple of that of the preparation.
        min_context: leaves out targets with fewer tokens before them. To count them, the shards are read once.
        fraction: the share of the pairs to serve, from all over the split; a smaller one is part of a larger.
        drop_remainder: leaves out an epoch's short batch.
        compact: serves ids as they lie on disk, uint16 or uint32, which is a half of the memory or none.
        cache: where blocks of remote shards are kept.

    Returns:
        A dataset of known cardinality.

    Raises:
        UserError: a folder is no dataset, the split is empty, datasets don't fit together, or an argument is out of
            range. A damaged shard raises `tf.errors.InvalidArgumentError` with the same wording when it is reached.
    """
    require(batch_size >= 1, f"batch size is {batch_size}; it must be at least 1.")
    require(workers <= batch_size, f"workers is {workers}; a batch of {batch_size} has a pair for each at the least.")
    require(
        0 <= worker < workers, f"worker is {worker}; it must be from 0 to {workers - 1}, as workers is {workers}."
    )
    require(seed is None or seed >= 0, f"seed is {seed}; it must be at least 0.")
    choice = Choice(window, stride, min_context, fraction)
    mixture = Mixture(data, split, choice, seed=seed, compact=compact, cache=cache)
    schedule = Schedule(
        mixture.pairs,
        mixture.weights,
        batch_size=batch_size,
        epochs=epochs,
        drop_remainder=drop_remainder,
        seed=seed,
    )
    return _Stream(mixture, schedule, Slice(worker, workers)).dataset(start_step)


class _Stream:
    """A slice of every batch of a schedule."""

    def __init__(self, mixture: Mixture, schedule: Schedule, part: Slice):
        self._mixture, self._schedule, self._part = mixture, schedule, part
        self._chunk_steps = max(1, _CHUNK_PAIRS * part.workers // schedule.batch_size)
        self._ends = [schedule.end(source) for source in range(len(mixture.pairs))]
        self._x_buffers, self._y_buffers = Buffers(), Buffers()

    def dataset(self, start_step: int) -> tf.data.Dataset:
        """The batches from a step on."""
        schedule = self._schedule
        require(
            0 <= start_step <= schedule.steps, f"start step is {start_step}; this stream has {schedule.steps} steps."
        )
        first_epoch, skipped = divmod(start_step, schedule.steps_per_epoch)
        dataset = tf.data.Dataset.range(first_epoch, schedule.epochs).flat_map(
            lambda epoch: self._epoch(
                epoch, tf.where(tf.equal(epoch, first_epoch), tf.constant(skipped, tf.int64), 0)
            )
        )
        # Without `prefetch`: chunks are cut ahead, and to take a batch out of one is cheaper than to hand it from
        # thread to thread.
        return dataset.apply(tf.data.experimental.assert_cardinality(schedule.steps - start_step))

    def _epoch(self, epoch: tf.Tensor, skipped: tf.Tensor) -> tf.data.Dataset:
        schedule = self._schedule
        begin = epoch * schedule.steps_per_epoch
        first, whole = begin + skipped, begin + schedule.whole_steps
        batches = self._chunks(first, whole, self._chunk_steps).rebatch(
            self._part.size(schedule.batch_size), drop_remainder=schedule.drop_remainder
        )
        if schedule.whole_steps == schedule.steps_per_epoch:
            return batches
        return batches.concatenate(self._chunks(tf.maximum(first, whole), begin + schedule.steps_per_epoch, 1))

    def _chunks(self, first: tf.Tensor, end: tf.Tensor, steps: int) -> tf.data.Dataset:
        """The pairs of the steps from `first` to before `end`, those of so many steps an element."""
        return tf.data.Dataset.range(first, end, steps).map(
            lambda step: self._tensors(step, tf.minimum(step + steps, end)),
            num_parallel_calls=_PARALLEL_CHUNKS,
            deterministic=True,
        )

    def _tensors(self, first: tf.Tensor, end: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        dtype = tf.as_dtype(self._mixture.dtype)
        x, y = tf.numpy_function(self._chunk, [first, end], [dtype, dtype], stateful=False)
        return tf.ensure_shape(x, [None, self._mixture.window]), tf.ensure_shape(y, [None])

    def _chunk(self, first: np.int64, end: np.int64) -> tuple[np.ndarray, np.ndarray]:
        """X and y of some steps on end."""
        with _CALLS.counted():
            share = self._schedule.share(int(first), int(end), worker=self._part.worker, workers=self._part.workers)
            pairs, dtype = len(share.places), self._mixture.dtype
            x = self._x_buffers.take((pairs, self._mixture.window), dtype)
            y = self._y_buffers.take((pairs,), dtype)
            self._mixture.cut(share, x, y, ends=self._ends)
            if end == self._schedule.steps:
                for held in (self._mixture, self._x_buffers, self._y_buffers):
                    held.release()
            return x, y


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
