"""One split of a dataset as an endless stream of pairs, epoch after epoch, read a few groups of blocks at a time."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from textgen.dataset.choice import Choice, choose, settle
from textgen.dataset.groups import Group, PairGroup, SpanGroup, count_targets, read_spans, served_targets
from textgen.dataset.manifest import Manifest
from textgen.dataset.order import EpochOrder, blocks_a_group, epoch_order, group_order
from textgen.dataset.records import span_dtype
from textgen.dataset.shards import Place, block_places, read_blocks
from textgen.files import Folder

_GROUPS_KEPT = 3
"""The one before, which a late batch may still want, the one that is served, and the one after."""

_Key = tuple[int, int]
"""An epoch, and a group of it."""


class Source:
    """Serves the pairs at any places of the stream.

    Attributes:
        manifest: that of the dataset.
        window: W.
        dtype: that of the ids it serves.
        pairs: how many pairs an epoch has.
    """

    def __init__(
        self, folder: Folder, manifest: Manifest, split: str, choice: Choice, *, seed: int | None, compact: bool
    ):
        """`compact`: whether ids keep the dtype that they have on disk.

        Raises:
            UserError: the split is empty, or the choice is one that the dataset can't serve.
        """
        self.manifest = manifest
        self._folder, self._seed = folder, seed
        self._settled = settle(choice, manifest.config)
        self.window = self._settled.window
        self._stored = span_dtype(manifest.vocabulary_size)
        self.dtype = self._stored if compact else np.dtype(np.int32)
        places = block_places(manifest.shards(split))
        self._blocks = choose(places, self._targets(places), step=self._settled.step, fraction=self._settled.fraction)
        self.pairs = int(self._blocks.pairs.sum())
        self._group_blocks = blocks_a_group(np.array([place.block.bytes for place in self._blocks.places]))
        self._order = functools.lru_cache(maxsize=2)(self._epoch_order)
        self._ready = _Ready(self._load)

    def cut(self, places: np.ndarray, x: np.ndarray, y: np.ndarray, *, end: int) -> None:
        """The pairs at these places of the stream.

        Args:
            places: int[N], rising; epoch e begins at e times `pairs`.
            x: [N, W], which is filled.
            y: [N], too.
            end: where the reader will stop, so that nothing after it is read ahead.

        Raises:
            UserError: a shard is missing or damaged.
        """
        done = 0
        while done < len(places):
            epoch, place = divmod(int(places[done]), self.pairs)
            order = self._order(epoch)
            index = int(np.searchsorted(order.ends, place, side="right"))
            begin = epoch * self.pairs + int(order.ends[index - 1] if index else 0)
            following = epoch * self.pairs + int(order.ends[index])
            stop = int(np.searchsorted(places, following))
            group = self._ready.take((epoch, index), self._next(epoch, index) if following < end else None)
            group.cut(_numbers(places[done:stop], begin), x[done:stop], y[done:stop])
            done = stop

    def release(self) -> None:
        """Frees the memory of what was read; it is read again when it is asked for."""
        self._ready.release()

    def _targets(self, places: list[Place]) -> np.ndarray:
        """int[N], the targets with enough context of each block."""
        if self._settled.min_context == 1:
            return np.array([place.block.pairs for place in places])
        return np.array(
            [
                count_targets(
                    *read_blocks(self._folder, [place]),
                    stride=self.manifest.config.stride,
                    min_context=self._settled.min_context,
                    dtype=self._stored,
                )
                for place in places
            ]
        )

    def _epoch_order(self, epoch: int) -> EpochOrder:
        return epoch_order(self._blocks.pairs, group_blocks=self._group_blocks, seed=self._seed, epoch=epoch)

    def _next(self, epoch: int, index: int) -> _Key:
        return (epoch, index + 1) if index + 1 < len(self._order(epoch).ends) else (epoch + 1, 0)

    def _load(self, key: _Key) -> Group:
        epoch, index = key
        which = self._order(epoch).group(index)
        contents = read_blocks(self._folder, [self._blocks.places[i] for i in which])
        targets = served_targets(self._blocks, which, step=self._settled.step)
        served = targets.take(group_order(len(targets), seed=self._seed, epoch=epoch, group=index))
        config = self.manifest.config
        if config.layout == "pairs":
            return PairGroup(contents, served, window=config.window, vocabulary_size=self.manifest.vocabulary_size)
        sequences = read_spans(
            contents, stride=config.stride, min_context=self._settled.min_context, dtype=self._stored
        )
        return SpanGroup(sequences, served, window=self.window, stride=config.stride)


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
