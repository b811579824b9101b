"""Reads datasets as a `tf.data.Dataset` of batches in constant memory: pairs, or rows with one target per position.

The sampler chooses the stream positions of each step, the shuffled split maps positions to shuffle groups, and a
group extracts the pairs. Each is a pure function, so a stream can start at any step, and any number of workers can
serve the same batches, each its own slice.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from textgen.block_cache import BlockCache
from textgen.dataset.loading.arguments import check_integer
from textgen.dataset.loading.batch_sampler import BatchSampler
from textgen.dataset.loading.mixture import Data, Mixture, weights_of
from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.split_reader import open_split
from textgen.dataset.loading.stateful import StatefulRows
from textgen.dataset.loading.tf_dataset import Allocate, ArraySpec, BatchDataset, BatchStream, WorkerSlice
from textgen.dataset.loading.tuning import DEFAULT_TUNING, Tuning
from textgen.errors import require


def read_pairs(
    data: Data,
    *,
    split: str = "train",
    batch_size: int,
    seed: int | None = None,
    epochs: int | None = 1,
    start_step: int = 0,
    worker: int = 0,
    workers: int = 1,
    window: int | None = None,
    stride: int | None = None,
    min_context: int = 1,
    fraction: float = 1.0,
    drop_remainder: bool = False,
    compact: bool = False,
    cache: BlockCache | None = None,
    tuning: Tuning = DEFAULT_TUNING,
) -> tf.data.Dataset:
    """Returns the pairs of a split as batches (X int32 [B, W], y int32 [B]); X is padded on the right with 0.

    Each batch of several datasets holds their pairs in proportion to their weights. An epoch then has as many pairs
    as the datasets have together, rounded up to whole batches, or down with `drop_remainder`; a dataset of small
    weight is served in part, and one of large weight more than once.

    With a seed, each iteration of the dataset continues with the next epochs, as `tf.data.Dataset.shuffle` does:
    `fit(read_pairs(..., seed=0), epochs=3)` serves three orders, those of `read_pairs(..., seed=0, epochs=3)`.

    Args:
        data: folder of a dataset, local or remote (`gs://…`, `s3://…`), or several folders with their weights.
        split: "train", "validation", "test", or "all" for the whole dataset.
        batch_size: B, number of pairs in a global batch. The last batch of an epoch may be smaller.
        seed: seed of the order, which is different in every epoch; None for the order of the corpus.
        epochs: number of times the split is served; None for a stream without end.
        start_step: number of batches to skip at the start of the stream. Blocks of which only skipped pairs would be
            served are not read.
        worker: index of this worker's slice of each global batch. Slice sizes differ by at most one, so a slice of
            the last batch of an epoch may be empty.
        workers: number of workers that share each global batch. The batches do not depend on it.
        window: W, number of tokens before a target, at most the context in the shards; None for the W of the
            preparation. Other values need the `spans` layout, as do other values of stride and min_context.
        stride: keep every `stride`-th target, a multiple of the stride of the preparation; None for that stride.
        min_context: minimum number of tokens before a target. A value above 1 reads the shards once, to count.
        fraction: fraction of the pairs to serve, above 0 and up to 1, spread over the split. The pairs of a
            smaller fraction are a subset of those of a larger one.
        drop_remainder: whether to drop the last batch of an epoch if it is smaller than B.
        compact: whether to keep the dtype of the ids on disk, uint16 (half the memory) or uint32 (the same memory).
        cache: cache for blocks of remote shards.
        tuning: sizes of chunks and shuffle groups, for tests and measurements.

    Returns:
        A dataset of known cardinality, or infinite if `epochs` is None.

    Raises:
        UserError: a folder is not a dataset, the split is empty, the datasets are not compatible, or an argument is
            out of range. A damaged shard raises `tf.errors.InvalidArgumentError` with the same message when it is
            reached.
    """
    stream = Stream(data, split, batch_size, seed, epochs, start_step, worker, workers, drop_remainder, cache, tuning)
    return stream.dataset(open_pairs(stream, LoadOptions(window, stride, min_context, fraction), compact=compact))


def read_sequences(
    data: Data,
    *,
    split: str = "train",
    batch_size: int,
    seed: int | None = None,
    epochs: int | None = 1,
    start_step: int = 0,
    worker: int = 0,
    workers: int = 1,
    window: int | None = None,
    stateful: bool = False,
    restarts: float = 0.0,
    drop_remainder: bool = False,
    cache: BlockCache | None = None,
    fraction: float = 1.0,
    tuning: Tuning = DEFAULT_TUNING,
) -> tf.data.Dataset:
    """Returns rows of a split with one target per position, as batches (x int32 [B, W], y int32 [B, W]).

    A row has up to W consecutive targets of one document, y = d[a+1 .. b], and the ids before them, x = d[a .. b-1].
    Both are padded on the right with 0, at the same positions. The next row of the document starts after d[b], so
    every target is served once per epoch. Rows do not cross records: in a document of more than 16,384 targets, the
    last row of each record is shorter.

    With `stateful` each row continues the row at the same index of the batch before, for a model that keeps its state
    between batches: of R rows in the order of the corpus, row b of step s is row b * L + s, with L = R // B steps per
    epoch. Batches are (x, y, fresh bool [B]); `fresh` is True for a row that does not continue the one before it,
    because it is the first of an epoch or of a document, or by chance, see `restarts`. The last R - B * L rows are
    dropped, since a batch without them would have rows of padding only, which the cuDNN LSTM rejects. There is no
    smaller batch, and about B blocks are in memory at a time.

    Args:
        data: folder of a dataset, local or remote (`gs://…`, `s3://…`), or several folders with their weights; it
            must have `spans` with stride 1. The shards are read once, to count the rows.
        split: "train", "validation", "test", or "all" for the whole dataset.
        batch_size: B, number of rows in a global batch. The last batch of an epoch may be smaller.
        seed: seed of the order, which is different in every epoch; None for the order of the corpus. Stateful rows
            keep that order, and `restarts` needs the seed.
        epochs: number of times the split is served; None for a stream without end.
        start_step: number of batches to skip at the start of the stream. Blocks of which only skipped pairs would be
            served are not read.
        worker: index of this worker's slice of each global batch. Slice sizes differ by at most one, so a slice of
            the last batch of an epoch may be empty.
        workers: number of workers that share each global batch. The batches do not depend on it.
        window: W; None for the W of the preparation.
        stateful: whether each row continues the row at the same index of the batch before.
        restarts: probability with which a stateful row does not continue the one before it: it is marked `fresh`, so
            that a network that is trained on long documents also learns to begin. The rows are the same without.
        drop_remainder: whether to drop the last batch of an epoch if it is smaller than B.
        cache: cache for blocks of remote shards.
        fraction: fraction of the rows to serve, above 0 and up to 1, spread over the split. The rows of a
            smaller fraction are a subset of those of a larger one.
        tuning: sizes of chunks and shuffle groups, for tests and measurements.

    Returns:
        A dataset of known cardinality, or infinite if `epochs` is None.

    Raises:
        UserError: a folder is not a dataset, the split is empty, the datasets are not compatible, the shards have
            another layout or stride, or an argument is out of range. A damaged shard raises
            `tf.errors.InvalidArgumentError` with the same message when it is reached.
    """
    stream = Stream(data, split, batch_size, seed, epochs, start_step, worker, workers, drop_remainder, cache, tuning)
    options = LoadOptions(window, fraction=fraction, rows=True)
    return stream.dataset(open_rows(stream, options, stateful=stateful, restarts=restarts))


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

    def dataset(self, batches: BatchStream) -> tf.data.Dataset:
        """Returns the batches from `start_step` on, as a dataset."""
        return BatchDataset(batches, tuning=self.tuning).dataset(self.start_step)


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
