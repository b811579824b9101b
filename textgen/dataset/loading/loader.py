"""Reads datasets as a `tf.data.Dataset` of batches in constant memory: pairs, or rows with one target per position.

The sampler chooses the stream positions of each step, the shuffled split maps positions to shuffle groups, and a
group extracts the pairs. Each is a pure function, so a stream can start at any step, and any number of workers can
serve the same batches, each its own slice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textgen.block_cache import BlockCache
from textgen.dataset.loading.batch_stream import BatchStream
from textgen.dataset.loading.mixture import Data
from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.streams import Stream, open_pairs, open_rows
from textgen.dataset.loading.tf_dataset import BatchDataset
from textgen.dataset.loading.tuning import DEFAULT_TUNING, Tuning

if TYPE_CHECKING:
    import tensorflow as tf


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
    return _dataset(stream, open_pairs(stream, LoadOptions(window, stride, min_context, fraction), compact=compact))


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
    return _dataset(stream, open_rows(stream, options, stateful=stateful, restarts=restarts))


def _dataset(stream: Stream, batches: BatchStream) -> tf.data.Dataset:
    return BatchDataset(batches, tuning=stream.tuning).dataset(stream.start_step)
