"""One split of a dataset as an endless stream of pairs, epoch after epoch, read a few groups of blocks at a time."""

import functools

import numpy as np

from textgen.dataset.loading.shuffle import EpochOrder, blocks_a_group, epoch_order, group_order
from textgen.dataset.loading.shuffle_groups import GroupKey, ShuffleGroups
from textgen.dataset.loading.split_reader import SplitReader
from textgen.dataset.storage.layouts import LoadedPairs


class ShuffledSplit:
    """Serves the pairs of a split at any places of the stream."""

    def __init__(self, reader: SplitReader, *, seed: int | None):
        """`seed`: None for the order of the corpus."""
        self.reader, self._seed = reader, seed
        self._group_blocks = blocks_a_group(np.array([place.block.bytes for place in reader.blocks.locations]))
        self._order = functools.lru_cache(maxsize=2)(self._epoch_order)
        self._groups = ShuffleGroups(self._load)

    def cut(self, places: np.ndarray, x: np.ndarray, y: np.ndarray, *, end: int) -> None:
        """The pairs at these places of the stream.

        Args:
            places: int[N], rising; epoch e begins at e times the pairs of the split.
            x: [N, W], which is filled.
            y: [N], or [N, W] of rows of targets, which is filled too.
            end: where the reader will stop, so that nothing after it is read ahead.

        Raises:
            UserError: a shard is missing or damaged.
        """
        done = 0
        while done < len(places):
            epoch, place = divmod(int(places[done]), self.reader.pairs)
            order = self._order(epoch)
            index = int(np.searchsorted(order.ends, place, side="right"))
            begin = epoch * self.reader.pairs + int(order.ends[index - 1] if index else 0)
            following = epoch * self.reader.pairs + int(order.ends[index])
            stop = int(np.searchsorted(places, following))
            group = self._groups.take(GroupKey(epoch, index), self._next(epoch, index) if following < end else None)
            group.extract(_numbers(places[done:stop], begin), x[done:stop], y[done:stop])
            done = stop

    def release(self) -> None:
        """Frees the memory of what was read; it is read again when it is asked for."""
        self._groups.release()

    def _epoch_order(self, epoch: int) -> EpochOrder:
        return epoch_order(self.reader.blocks.pairs, group_blocks=self._group_blocks, seed=self._seed, epoch=epoch)

    def _next(self, epoch: int, index: int) -> GroupKey:
        if index + 1 < len(self._order(epoch).ends):
            return GroupKey(epoch, index + 1)
        return GroupKey(epoch + 1, 0)

    def _load(self, key: GroupKey) -> LoadedPairs:
        epoch, index = key
        which = self._order(epoch).group(index)
        pairs = int(self.reader.blocks.pairs[which].sum())
        return self.reader.read_pairs(which, group_order(pairs, seed=self._seed, epoch=epoch, group=index))


def _numbers(places: np.ndarray, begin: int) -> slice | np.ndarray:
    """The numbers of rising places in the group that begins there; a slice where they lie on end, to copy nothing."""
    first, last = int(places[0]) - begin, int(places[-1]) - begin
    return slice(first, last + 1) if last - first == len(places) - 1 else places - begin
