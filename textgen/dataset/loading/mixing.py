"""Measures how well the shuffled order mixes a split, from the order alone."""

from typing import NamedTuple

import numpy as np

from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.shuffle import blocks_per_group, epoch_order, group_order
from textgen.dataset.loading.split_reader import open_split

_NEAR_PAIRS = 1 << 16
"""Number of pairs whose distances are measured."""


class Mixing(NamedTuple):
    """The first pairs that are served of a split.

    Attributes:
        positions: int [N], index of each pair among all pairs of the split in the order of the corpus.
        pairs: number of pairs of the split.
        blocks: number of its blocks.
        group_blocks: number of blocks that are permuted together, at most.
    """

    positions: np.ndarray
    pairs: int
    blocks: int
    group_blocks: int

    def near_share(self, batch_size: int, window: int) -> float | None:
        """Returns the share of pairs with another pair of the same batch less than a window away.

        Such pairs have tokens in common. None if there is no whole batch.
        """
        count = min(len(self.positions), _NEAR_PAIRS) // batch_size
        if not count or batch_size < 2:
            return None
        batches = np.sort(self.positions[: count * batch_size].reshape(count, batch_size), axis=1)
        is_near = np.diff(batches, axis=1) < window
        none = np.zeros((count, 1), bool)
        return float((np.hstack([none, is_near]) | np.hstack([is_near, none])).mean())

    def random_share(self, batch_size: int, window: int) -> float:
        """Returns the mean of `near_share` over batches that are drawn from the whole split."""
        near = min(1.0, (2 * window - 2) / max(1, self.pairs - 1))
        return 1 - (1 - near) ** (batch_size - 1)


def first_positions(directory: str, *, seed: int, count: int) -> Mixing:
    """Returns where the first pairs of an epoch come from; the shards are not read.

    Args:
        directory: folder or URL of the dataset.
        seed: seed of the order.
        count: number of pairs; all of them if there are fewer.

    Raises:
        UserError: the folder is no dataset, or its training split is empty.
    """
    reader = open_split(directory, "train", LoadOptions(), compact=False, cache=None)
    pairs = reader.blocks.pairs
    group_blocks = blocks_per_group(reader.blocks.locations.bytes)
    order = epoch_order(pairs, group_blocks=group_blocks, seed=seed, epoch=0)
    starts = np.cumsum(pairs) - pairs
    found, group = list[np.ndarray](), 0
    while sum(len(part) for part in found) < count and group < len(order.ends):
        blocks = order.group(group)
        indices = group_order(order.size(group), seed=seed, epoch=0, group=group)[:count]
        ends = np.cumsum(pairs[blocks])
        block = np.searchsorted(ends, indices, side="right")
        found.append(starts[blocks[block]] + indices - (ends - pairs[blocks])[block])
        group += 1
    return Mixing(np.concatenate(found)[:count], reader.pairs, len(pairs), group_blocks)
