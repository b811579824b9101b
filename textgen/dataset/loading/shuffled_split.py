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
        self._group_blocks = blocks_per_group(
            np.array([location.block.bytes for location in reader.blocks.locations]), tuning
        )
        self._order = functools.lru_cache(maxsize=2)(self._epoch_order)
        self._groups = ShuffleGroups(self._load)

    def read(self, positions: np.ndarray, x: np.ndarray, y: np.ndarray, *, end: int) -> None:
        """Fills x and y with the pairs at N positions of the stream.

        Args:
            positions: int [N], rising; epoch e starts at e times the number of pairs of the split.
            x: [N, W], filled with ids.
            y: [N], or [N, W] for rows of targets, filled with ids.
            end: position at which the caller will stop; nothing after it is read ahead.

        Raises:
            UserError: a shard is missing or damaged.
        """
        done = 0
        while done < len(positions):
            epoch, position = divmod(int(positions[done]), self.reader.pairs)
            order = self._order(epoch)
            index = int(np.searchsorted(order.ends, position, side="right"))
            start = epoch * self.reader.pairs + int(order.ends[index - 1] if index else 0)
            following = epoch * self.reader.pairs + int(order.ends[index])
            stop = int(np.searchsorted(positions, following))
            group = self._groups.take(GroupKey(epoch, index), self._next(epoch, index) if following < end else None)
            group.extract(_group_indices(positions[done:stop], start), x[done:stop], y[done:stop])
            done = stop

    def release(self) -> None:
        """Frees the memory of the shuffle groups; they are loaded again on demand."""
        self._groups.release()

    def _epoch_order(self, epoch: int) -> EpochOrder:
        return epoch_order(self.reader.blocks.pairs, group_blocks=self._group_blocks, seed=self._seed, epoch=epoch)

    def _next(self, epoch: int, index: int) -> GroupKey:
        if index + 1 < len(self._order(epoch).ends):
            return GroupKey(epoch, index + 1)
        return GroupKey(epoch + 1, 0)

    def _load(self, key: GroupKey) -> LoadedPairs:
        epoch, index = key
        blocks = self._order(epoch).group(index)
        pairs = int(self.reader.blocks.pairs[blocks].sum())
        return self.reader.read_pairs(blocks, group_order(pairs, seed=self._seed, epoch=epoch, group=index))


def _group_indices(positions: np.ndarray, start: int) -> slice | np.ndarray:
    """Returns the indices of rising positions in the group that starts at `start`; a slice if consecutive."""
    first, last = int(positions[0]) - start, int(positions[-1]) - start
    return slice(first, last + 1) if last - first == len(positions) - 1 else positions - start
