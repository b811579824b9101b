"""Streams the pairs of a dataset as batches, from either layout, in flat memory."""

import functools
from pathlib import Path

import numpy as np
import tensorflow as tf

from textgen.dataset.manifest import Manifest, read_manifest
from textgen.dataset.order import EpochOrder, epoch_order, group_order
from textgen.dataset.records import parse_pairs, parse_spans, span_dtype
from textgen.dataset.shards import Block, read_block
from textgen.errors import require


def read_pairs(
    directory: str | Path,
    *,
    split: str = "train",
    batch_size: int,
    seed: int | None = None,
    epochs: int = 1,
    start_step: int = 0,
) -> tf.data.Dataset:
    """The pairs of a split as batches (X int32 [B, W], y int32 [B]); X is padded on the right with 0.

    Args:
        directory: a folder that `textgen prepare` made.
        split: "train", "validation" or "test".
        batch_size: B. An epoch's last batch may be shorter.
        seed: shuffles every epoch anew; None serves the order of the corpus.
        epochs: how often the split is served.
        start_step: how many batches of this very stream to leave out at its start; they are not read.

    Returns:
        A dataset of known cardinality.

    Raises:
        UserError: the folder is no dataset, the split is empty, or an argument is out of range. A damaged shard
            raises `tf.errors.InvalidArgumentError` with the same wording when it is reached.
    """
    require(batch_size >= 1, f"batch size is {batch_size}; it must be at least 1.")
    require(epochs >= 1, f"epochs is {epochs}; it must be at least 1.")
    require(seed is None or seed >= 0, f"seed is {seed}; it must be at least 0.")
    stream = _Stream(Path(directory), read_manifest(directory), split, seed)
    steps = -(-stream.pairs // batch_size)
    require(
        0 <= start_step <= steps * epochs,
        f"start step is {start_step}; this stream has {steps * epochs} steps.",
    )

    first_epoch, first_step = divmod(start_step, steps)
    dataset = tf.data.Dataset.range(first_epoch, epochs).flat_map(
        lambda epoch: stream.epoch(
            epoch, tf.where(tf.equal(epoch, first_epoch), tf.constant(first_step * batch_size, tf.int64), 0)
        ).rebatch(batch_size)
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps * epochs - start_step))
    return dataset.prefetch(tf.data.AUTOTUNE)


class _Stream:
    """A split's blocks, and the reading of one group of them."""

    def __init__(self, folder: Path, manifest: Manifest, split: str, seed: int | None):
        self._config = manifest.config
        self._dtype = span_dtype(manifest.vocabulary_size)
        self._seed = seed
        self._blocks: list[tuple[Path, int, Block]] = []
        for shard in manifest.shards(split):
            offset = 0
            for block in shard.blocks:
                self._blocks.append((folder / shard.name, offset, block))
                offset += block.bytes
        self._block_pairs = np.array([block.pairs for _, _, block in self._blocks])
        self.pairs = int(self._block_pairs.sum())
        self._order = functools.lru_cache(maxsize=2)(self._epoch_order)

    def epoch(self, epoch: tf.Tensor, skip: tf.Tensor) -> tf.data.Dataset:
        """The pairs of an epoch after the first `skip`, a group an element: (int32 [N, W], int32 [N])."""
        groups = tf.numpy_function(self._remaining_groups, [epoch, skip], tf.int64, stateful=False)
        pairs = self._pairs if self._config.layout == "pairs" else self._spans
        # Two, so that one group is read while the other is served: more would cost memory for nothing.
        return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(groups, [None, 2])).map(
            lambda group: pairs(epoch, group[0], group[1]), num_parallel_calls=2, deterministic=True
        )

    def _remaining_groups(self, epoch: np.int64, skip: np.int64) -> np.ndarray:
        """int64 [groups, 2]: which groups to read, and how many of the first one's pairs to leave out."""
        ends = self._order(int(epoch)).ends
        first = int(np.searchsorted(ends, skip, side="right"))
        groups = np.arange(first, len(ends))
        skips = np.zeros_like(groups)
        skips[:1] = skip - (ends[first - 1] if first else 0)
        return np.stack([groups, skips], axis=1)

    def _pairs(self, epoch: tf.Tensor, group: tf.Tensor, skip: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        serialized = tf.numpy_function(self._pair_group, [epoch, group, skip], tf.string, stateful=False)
        return parse_pairs(tf.ensure_shape(serialized, [None]), window=self._config.window)

    def _spans(self, epoch: tf.Tensor, group: tf.Tensor, skip: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = tf.numpy_function(self._span_group, [epoch, group, skip], [tf.int32, tf.int32], stateful=False)
        return tf.ensure_shape(x, [None, self._config.window]), tf.ensure_shape(y, [None])

    def _pair_group(self, epoch: np.int64, group: np.int64, skip: np.int64) -> np.ndarray:
        records = [bytes(record) for block in self._group_records(epoch, group) for record in block]
        return np.array(records, object)[self._places(len(records), epoch, group, skip)]

    def _span_group(self, epoch: np.int64, group: np.int64, skip: np.int64) -> tuple[np.ndarray, np.ndarray]:
        blocks = [
            parse_spans(records, window=self._config.window, stride=self._config.stride, dtype=self._dtype)
            for records in self._group_records(epoch, group)
        ]
        x, y = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
        places = self._places(len(y), epoch, group, skip)
        return x[places], y[places]

    def _group_records(self, epoch: np.int64, group: np.int64) -> list[list[memoryview]]:
        return [read_block(*self._blocks[block]) for block in self._order(int(epoch)).groups[int(group)]]

    def _epoch_order(self, epoch: int) -> EpochOrder:
        return epoch_order(self._block_pairs, seed=self._seed, epoch=epoch)

    def _places(self, pairs: int, epoch: np.int64, group: np.int64, skip: np.int64) -> np.ndarray:
        return group_order(pairs, seed=self._seed, epoch=int(epoch), group=int(group))[int(skip) :]
