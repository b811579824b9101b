"""Streams the pairs of datasets as batches, from either layout, in flat memory; or rows with a target at every place.

The sampler says which positions of which dataset a step holds, the shuffled split in which shuffle group and in which
order they are, and the group extracts them. Each is a pure function, so a stream can start at any step, and any
number of workers serve the same batches, each its slice of them.
"""

import numpy as np
import tensorflow as tf

from textgen.block_cache import BlockCache
from textgen.dataset.loading.batch_sampler import BatchSampler
from textgen.dataset.loading.mixture import Data, Mixture, weights_of
from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.split_reader import open_split
from textgen.dataset.loading.stateful import StatefulRows
from textgen.dataset.loading.tf_dataset import Allocate, ArraySpec, BatchDataset, WorkerSlice
from textgen.errors import require


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
    cache: BlockCache | None = None,
) -> tf.data.Dataset:
    """The pairs of a split as batches (X int32 [B, W], y int32 [B]); X is padded on the right with 0.

    Of several datasets each batch holds pairs in the proportion of their weights, and an epoch is as many pairs as
    they have together.

    Args:
        data: a folder that `textgen prepare` made, local or remote (`gs://…`, `s3://…`), or several with weights.
        split: "train", "validation" or "test".
        batch_size: B, the pairs that all workers take in a step. An epoch's last batch may be shorter.
        seed: shuffles every epoch anew; None serves the order of the corpus.
        epochs: number of times the split is served.
        start_step: how many batches of this very stream to leave out at its start; they are not read.
        worker: index of this worker's slice of each batch; slice sizes differ by at most one, so one of a short
            batch may be empty.
        workers: number of workers that share each batch. The batches do not depend on it.
        window: W, at most what the shards hold; None for that of the preparation. Of `spans` alone, as are:
        stride: keep every `stride`-th target; a multiple of that of the preparation.
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
    options = LoadOptions(window, stride, min_context, fraction)
    drawn = _SampledBatches(
        data,
        split,
        options=options,
        part=_part(batch_size, worker, workers),
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        drop_remainder=drop_remainder,
        compact=compact,
        cache=cache,
    )
    return BatchDataset(drawn).dataset(start_step)


def read_sequences(
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
    stateful: bool = False,
    drop_remainder: bool = False,
    cache: BlockCache | None = None,
    fraction: float = 1.0,
) -> tf.data.Dataset:
    """Rows of a split with a target at every place, as batches (x int32 [B, W], y int32 [B, W]).

    A row has up to W targets of one document on end, y = d[a+1 .. b], and the ids before them, x = d[a .. b-1]; both
    are padded on the right with 0, at the same places. The next row of the document begins after d[b]. So every
    target is served once an epoch. Rows are cut within records: a document of more than 16,384 targets has a
    short row at the end of each.

    With `stateful` each row continues the row at the same index of the batch before, for a model that keeps its state
    between batches: of R rows in the order of the corpus, row b of step s is row b * L + s, with L = R // B steps an
    epoch. Batches are (x, y, fresh bool [B]); `fresh` is True for a row that does not continue the one before it,
    because it is the first of an epoch or of a document. The last R - B * L rows are left out, since a batch without
    them would have rows of padding only, which the cuDNN LSTM refuses.

    Args:
        data: as for `read_pairs`; of `spans` with every target. The shards are read once to count the rows.
        split: "train", "validation" or "test".
        batch_size: B, the rows that all workers take in a step. An epoch's last batch may be shorter.
        seed: shuffles every epoch anew; None serves the order of the corpus. With `stateful` there is none.
        epochs: number of times the split is served.
        start_step: how many batches of this very stream to leave out at its start; they are not read.
        worker: index of this worker's slice of each batch, as for `read_pairs`; with `stateful` of the same rows.
        workers: number of workers that share each batch. The batches do not depend on it.
        window: W; None for that of the preparation.
        stateful: whether rows continue those of the batch before. About B blocks are in memory then.
        drop_remainder: leaves out an epoch's short batch. With `stateful` there is none.
        cache: where blocks of remote shards are kept.
        fraction: the share of the rows to serve, from all over the split; a smaller one is part of a larger.

    Returns:
        A dataset of known cardinality.

    Raises:
        UserError: a folder is no dataset, the split is empty, datasets don't fit together, the shards have another
            layout or stride, or an argument is out of range. A damaged shard raises
            `tf.errors.InvalidArgumentError` with the same wording when it is reached.
    """
    options = LoadOptions(window, fraction=fraction, rows=True)
    part = _part(batch_size, worker, workers)
    if not stateful:
        drawn = _SampledBatches(
            data,
            split,
            options=options,
            part=part,
            batch_size=batch_size,
            epochs=epochs,
            seed=seed,
            drop_remainder=drop_remainder,
            cache=cache,
        )
        return BatchDataset(drawn).dataset(start_step)
    require(
        seed is None,
        f"seed is {seed}; stateful rows keep the order of the corpus. Leave the seed out.",
    )
    folder, *others = weights_of(data)
    require(not others, f"{len(others) + 1} datasets are given; stateful rows are read from one. Name one.")
    reader = open_split(folder, split, options, compact=False, cache=cache)
    return BatchDataset(StatefulRows(reader, part, batch_size=batch_size, epochs=epochs)).dataset(start_step)


def _part(batch_size: int, worker: int, workers: int) -> WorkerSlice:
    require(batch_size >= 1, f"batch size is {batch_size}; it must be at least 1.")
    require(workers <= batch_size, f"workers is {workers}; it must not exceed the batch size, which is {batch_size}.")
    require(
        0 <= worker < workers, f"worker is {worker}; it must be from 0 to {workers - 1}, as workers is {workers}."
    )
    return WorkerSlice(worker, workers)


class _SampledBatches:
    """The pairs of a mixture as a schedule draws them; see `BatchStream`, and `read_pairs` for what is given."""

    def __init__(
        self,
        data: Data,
        split: str,
        *,
        options: LoadOptions,
        part: WorkerSlice,
        batch_size: int,
        epochs: int,
        seed: int | None,
        drop_remainder: bool,
        cache: BlockCache | None,
        compact: bool = False,
    ):
        require(seed is None or seed >= 0, f"seed is {seed}; it must be at least 0.")
        self._mixture = mixture = Mixture(data, split, options, seed=seed, compact=compact, cache=cache)
        self._sampler = sampler = BatchSampler(
            mixture.pairs,
            mixture.weights,
            batch_size=batch_size,
            epochs=epochs,
            drop_remainder=drop_remainder,
            seed=seed,
        )
        self._ends = [sampler.end(source) for source in range(len(mixture.pairs))]
        self.arrays: tuple[ArraySpec, ...] = (
            ArraySpec((mixture.window,), mixture.dtype),
            ArraySpec(mixture.y_shape, mixture.dtype),
        )
        self.part, self.batch_size, self.epochs, self.drop_remainder = part, batch_size, epochs, drop_remainder
        self.steps_per_epoch, self.whole_steps = sampler.steps_per_epoch, sampler.whole_steps

    def cut(self, first: int, end: int, empty: Allocate) -> list[np.ndarray]:
        """See BatchStream."""
        share = self._sampler.sample(first, end, worker=self.part.worker, workers=self.part.workers)
        x, y = empty(len(share.places))
        self._mixture.cut(share, x, y, ends=self._ends)
        return [x, y]

    def release(self) -> None:
        """See BatchStream."""
        self._mixture.release()
