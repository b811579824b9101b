"""Opens the batches of a stream: the arguments that all streams share, and what each kind of item needs."""

import dataclasses

import numpy as np

from textgen.block_cache import BlockCache
from textgen.dataset.loading.arguments import check_integer
from textgen.dataset.loading.batch_sampler import BatchSampler
from textgen.dataset.loading.batch_stream import Allocate, ArraySpec, BatchStream, WorkerSlice
from textgen.dataset.loading.mixture import Data, Mixture, weights_of
from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.split_reader import open_split
from textgen.dataset.loading.stateful import StatefulRows
from textgen.dataset.loading.tuning import Tuning
from textgen.errors import require


@dataclasses.dataclass(frozen=True)
class Stream:
    """Arguments of a stream that do not depend on its items; see `read_pairs`."""

    data: Data
    split: str
    batch_size: int
    seed: int | None
    epochs: int | None
    start_step: int
    worker: int
    workers: int
    drop_remainder: bool
    cache: BlockCache | None
    tuning: Tuning

    def __post_init__(self) -> None:
        check_integer("batch size", self.batch_size, least=1)
        check_integer("epochs", self.epochs, least=1, none="a stream without end")
        check_integer("seed", self.seed, least=0, none="the order of the corpus")
        check_integer("start step", self.start_step)
        check_integer("worker", self.worker)
        check_integer("workers", self.workers, least=1)
        require(
            self.workers <= self.batch_size,
            f"workers is {self.workers}; it must not exceed the batch size, which is {self.batch_size}.",
        )
        require(
            0 <= self.worker < self.workers,
            f"worker is {self.worker}; it must be from 0 to {self.workers - 1}, as workers is {self.workers}.",
        )

    @property
    def part(self) -> WorkerSlice:
        """This worker's slice of each global batch."""
        return WorkerSlice(self.worker, self.workers)


def open_pairs(stream: Stream, options: LoadOptions, *, compact: bool) -> BatchStream:
    """Opens the datasets of a stream of pairs; raises as `read_pairs` does."""
    return _SampledBatches(stream, options, compact=compact)


def open_rows(stream: Stream, options: LoadOptions, *, stateful: bool, restarts: float) -> BatchStream:
    """Opens the datasets of a stream of rows; raises as `read_sequences` does."""
    require(
        stateful or restarts == 0,
        f"restarts is {restarts} without stateful; only stateful rows begin anew. Leave restarts out.",
    )
    return _stateful_rows(stream, options, restarts) if stateful else _SampledBatches(stream, options)


def _stateful_rows(stream: Stream, options: LoadOptions, restarts: float) -> StatefulRows:
    """Opens the dataset of a stream for stateful training.

    Raises:
        UserError: there is a seed without restarts or the reverse, or more than one dataset.
    """
    require(
        stream.seed is None or restarts > 0,
        f"seed is {stream.seed}; stateful rows keep the order of the corpus. Leave the seed out, or set restarts.",
    )
    require(
        stream.seed is not None or restarts == 0,
        f"restarts is {restarts} without a seed; rows begin anew at random. Give a seed.",
    )
    folder, *others = weights_of(stream.data)
    require(not others, f"{len(others) + 1} datasets are given; stateful rows are read from one. Name one.")
    reader = open_split(folder, stream.split, options, compact=False, cache=stream.cache)
    return StatefulRows(
        reader,
        stream.part,
        batch_size=stream.batch_size,
        epochs=stream.epochs,
        restarts=restarts,
        seed=stream.seed or 0,
    )


class _SampledBatches:
    """Batches of items that a `BatchSampler` draws from a mixture. See `BatchStream`."""

    def __init__(self, stream: Stream, options: LoadOptions, *, compact: bool = False):
        """Opens the datasets of a stream.

        Args:
            stream: arguments of the stream.
            options: parameters of reading.
            compact: whether to keep the dtype of the ids on disk.

        Raises:
            UserError: as for `read_pairs`.
        """
        folders = weights_of(stream.data)
        readers = {
            folder: open_split(folder, stream.split, options, compact=compact, cache=stream.cache)
            for folder in folders
        }
        weights = list(folders.values())
        self._mixture = mixture = Mixture(readers, weights, seed=stream.seed, tuning=stream.tuning)
        self._sampler = sampler = BatchSampler(
            mixture.pairs,
            mixture.weights,
            batch_size=stream.batch_size,
            drop_remainder=stream.drop_remainder,
            seed=stream.seed,
        )
        self.arrays: tuple[ArraySpec, ...] = (
            ArraySpec((mixture.window,), mixture.dtype),
            ArraySpec(mixture.y_shape, mixture.dtype),
        )
        self.part, self.batch_size, self.epochs = stream.part, stream.batch_size, stream.epochs
        self.drop_remainder, self.reshuffles = stream.drop_remainder, stream.seed is not None
        self._start_step = stream.start_step
        self.steps_per_epoch, self.whole_steps = sampler.steps_per_epoch, sampler.whole_steps

    def fill_batches(self, first: int, end: int, allocate: Allocate) -> list[np.ndarray]:
        """See `BatchStream`."""
        sampled = self._sampler.sample(first, end, worker=self.part.worker, workers=self.part.workers)
        x, y = allocate(len(sampled.positions))
        self._mixture.read(sampled, x, y, bounds=self._sampler.bounds(*self._iteration(first)))
        return [x, y]

    def _iteration(self, step: int) -> tuple[int, int | None]:
        """Returns the first step and the step after the last one of the iteration that serves a step."""
        if self.epochs is None:
            # All iterations are served by one stream, and none before the first one's start.
            return self._start_step, None
        steps = self.steps_per_epoch * self.epochs
        before = step // steps * steps
        return before + self._start_step, before + steps

    def release(self) -> None:
        """See `BatchStream`."""
        self._mixture.release()
