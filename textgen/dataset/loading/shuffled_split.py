"""One split of a dataset as an endless stream of pairs, epoch after epoch, read a few groups of blocks at a time."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from textgen.dataset.loading.shuffle import EpochOrder, blocks_a_group, epoch_order, group_order
from textgen.dataset.loading.shuffle_groups import Group
from textgen.dataset.loading.split_reader import Stock

_GROUPS_KEPT = 3
"""The one before, which a late batch may still want, the one that is served, and the one after."""

_Key = tuple[int, int]
"""An epoch, and a group of it."""


class Source:
    """Serves the pairs of a stock at any places of the stream."""

    def __init__(self, stock: Stock, *, seed: int | None):
        """`seed`: None for the order of the corpus."""
        self.stock, self._seed = stock, seed
        self._group_blocks = blocks_a_group(np.array([place.block.bytes for place in stock.blocks.places]))
        self._order = functools.lru_cache(maxsize=2)(self._epoch_order)
        self._ready = _Ready(self._load)

    def cut(self, places: np.ndarray, x: np.ndarray, y: np.ndarray, *, end: int) -> None:
        """The pairs at these places of the stream.

        Args:
            places: int[N], rising; epoch e begins at e times the pairs of the stock.
            x: [N, W], which is filled.
            y: [N], or [N, W] of rows of targets, which is filled too.
            end: where the reader will stop, so that nothing after it is read ahead.

        Raises:
            UserError: a shard is missing or damaged.
        """
        done = 0
        while done < len(places):
            epoch, place = divmod(int(places[done]), self.stock.pairs)
            order = self._order(epoch)
            index = int(np.searchsorted(order.ends, place, side="right"))
            begin = epoch * self.stock.pairs + int(order.ends[index - 1] if index else 0)
            following = epoch * self.stock.pairs + int(order.ends[index])
            stop = int(np.searchsorted(places, following))
            group = self._ready.take((epoch, index), self._next(epoch, index) if following < end else None)
            group.cut(_numbers(places[done:stop], begin), x[done:stop], y[done:stop])
            done = stop

    def release(self) -> None:
        """Frees the memory of what was read; it is read again when it is asked for."""
        self._ready.release()

    def _epoch_order(self, epoch: int) -> EpochOrder:
        return epoch_order(self.stock.blocks.pairs, group_blocks=self._group_blocks, seed=self._seed, epoch=epoch)

    def _next(self, epoch: int, index: int) -> _Key:
        return (epoch, index + 1) if index + 1 < len(self._order(epoch).ends) else (epoch + 1, 0)

    def _load(self, key: _Key) -> Group:
        epoch, index = key
        which = self._order(epoch).group(index)
        pairs = int(self.stock.blocks.pairs[which].sum())
        return self.stock.read(which, group_order(pairs, seed=self._seed, epoch=epoch, group=index))


def _numbers(places: np.ndarray, begin: int) -> slice | np.ndarray:
    """The numbers of rising places in the group that begins there; a slice where they lie on end, to copy nothing."""
    first, last = int(places[0]) - begin, int(places[-1]) - begin
    return slice(first, last + 1) if last - first == len(places) - 1 else places - begin


class _Ready:
    """Groups that are loaded in threads of their own, ahead of their use; readers may be several threads."""

    def __init__(self, load: Callable[[_Key], Group]):
        self._load = load
        self._lock = threading.Lock()
        self._groups: OrderedDict[_Key, Future[Group]] = OrderedDict()

    def take(self, key: _Key, following: _Key | None) -> Group:
        """The group; the one after it is loaded meanwhile."""
        with self._lock:
            wanted = self._request(key)
            if following:
                self._request(following)
            while len(self._groups) > _GROUPS_KEPT:
                self._groups.popitem(last=False)
        try:
            return wanted.result()
        except Exception:
            # It may have been repaired when it is asked for again.
            with self._lock:
                self._groups.pop(key, None)
            raise

    def release(self) -> None:
        """Keeps none."""
        with self._lock:
            self._groups.clear()

    def _request(self, key: _Key) -> "Future[Group]":
        if key not in self._groups:
            # A thread a group, which ends: TensorFlow never lets go of what a dataset was made of.
            future: Future[Group] = Future()
            threading.Thread(target=self._fulfil, args=(future, key)).start()
            self._groups[key] = future
        self._groups.move_to_end(key)
        return self._groups[key]

    def _fulfil(self, future: "Future[Group]", key: _Key) -> None:
        try:
            future.set_result(self._load(key))
        except Exception as error:
            future.set_exception(error)
