"""A split as an endless stream of pairs, epoch after epoch, of which a few shuffle groups are in memory."""

import functools

import numpy as np

from textgen.dataset.loading.shuffle import EpochOrder, blocks_per_group, epoch_order, group_order
from textgen.dataset.loading.shuffle_groups import GroupKey, ShuffleGroups
from textgen.dataset.loading.split_reader import SplitReader
from textgen.dataset.loading.tuning import DEFAULT_TUNING, Tuning
from textgen.dataset.storage.layouts import LoadedPairs


class ShuffledSplit:
    """Reads the pairs at any positions of the stream of a split. Thread-safe."""

    def __init__(self, reader: SplitReader, *, seed: int | None, tuning: Tuning = DEFAULT_TUNING):
        """Args: `seed` of the order, None for the order of the corpus, and `tuning` of the shuffle groups."""
        self.reader, self._seed = reader, seed
        self._group_blocks = blocks_per_group(reader.blocks.locations.bytes, tuning)
        self._order = functools.lru_cache(maxsize=2)(self._epoch_order)
        self._groups = ShuffleGroups(self._load)

    def read(self, positions: np.ndarray, x: np.ndarray, y: np.ndarray, *, start: int = 0, end: int) -> None:
        """Fills x and y with the pairs at N positions of the stream.

        Args:
            positions: int [N], rising; epoch e starts at e times the number of pairs of the split.
            x: [N, W], filled with ids.
            y: [N], or [N, W] for rows of targets, filled with ids.
            start: first position that the caller reads; blocks of which it needs nothing are not read.
            end: position at which the caller will stop; nothing after it is read.

        Raises:
            UserError: a shard is missing or damaged.
        """
        done = 0
        while done < len(positions):
            epoch, position = divmod(int(positions[done]), self.reader.pairs)
            order = self._order(epoch)
            index = int(np.searchsorted(order.ends, position, side="right"))
            following = epoch * self.reader.pairs + int(order.ends[index])
            stop = int(np.searchsorted(positions, following))
            key = self._key(epoch, index, start, end)
            group = self._groups.take(key, self._next(key, start, end) if following < end else None)
            first = following - order.size(index) + key.first
            group.extract(_group_indices(positions[done:stop], first), x[done:stop], y[done:stop])
            done = stop

    def release(self) -> None:
        """Frees the memory of the shuffle groups; they are loaded again on demand."""
        self._groups.release()

    def _epoch_order(self, epoch: int) -> EpochOrder:
        return epoch_order(self.reader.blocks.pairs, group_blocks=self._group_blocks, seed=self._seed, epoch=epoch)

    def _key(self, epoch: int, index: int, start: int, end: int) -> GroupKey:
        """Returns the pairs of a group that are at positions [start, end) of the stream."""
        order = self._order(epoch)
        size = order.size(index)
        before = epoch * self.reader.pairs + int(order.ends[index]) - size
        return GroupKey(epoch, index, max(0, start - before), min(size, end - before))

    def _next(self, key: GroupKey, start: int, end: int) -> GroupKey:
        if key.group + 1 < len(self._order(key.epoch).ends):
            return self._key(key.epoch, key.group + 1, start, end)
        return self._key(key.epoch + 1, 0, start, end)

    def _load(self, key: GroupKey) -> LoadedPairs:
        order = self._order(key.epoch)
        blocks, size = order.group(key.group), order.size(key.group)
        indices = group_order(size, seed=self._seed, epoch=key.epoch, group=key.group)
        if key.end - key.first < size:
            blocks, indices = _needed(blocks, self.reader.blocks.pairs[blocks], indices[key.first : key.end])
        return self.reader.read_pairs(blocks, indices)


def _needed(blocks: np.ndarray, pairs: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leaves out the blocks of which no pair is wanted.

    Args:
        blocks: int [M], indices of blocks.
        pairs: int [M], number of pairs in each.
        indices: int [N], indices of the wanted pairs among all pairs of the blocks.

    Returns:
        int [K], the blocks that are needed, and int [N], the indices among their pairs.
    """
    ends = np.cumsum(pairs)
    block_of_pair = np.searchsorted(ends, indices, side="right")
    needed = np.unique(block_of_pair)
    left_out = (ends - pairs)[needed] - (np.cumsum(pairs[needed]) - pairs[needed])
    return blocks[needed], indices - left_out[np.searchsorted(needed, block_of_pair)]


def _group_indices(positions: np.ndarray, start: int) -> slice | np.ndarray:
    """Returns the indices of rising positions in the group that starts at `start`; a slice if consecutive."""
    first, last = int(positions[0]) - start, int(positions[-1]) - start
    return slice(first, last + 1) if last - first == len(positions) - 1 else positions - start
