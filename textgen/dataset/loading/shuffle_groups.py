"""Cache of shuffle groups: each is loaded ahead of its use in its own thread, and few are kept in memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from textgen.dataset.storage.layouts import LoadedPairs

_GROUPS_KEPT = 3
"""The previous one, which a late batch may still need, the current one and the next one."""


class GroupKey(NamedTuple):
    """The pairs [first, end) of a shuffle group.

    Attributes:
        epoch: index of the epoch.
        group: index of the group in the order of that epoch.
        first: index of the first pair in the order of the group.
        end: index after the last pair.
    """

    epoch: int
    group: int
    first: int
    end: int


class ShuffleGroups:
    """Loads shuffle groups, and the next one while one is in use. May be used by several threads."""

    def __init__(self, load: Callable[[GroupKey], LoadedPairs]):
        """`load` reads a group; it is called in other threads."""
        self._load = load
        self._lock = threading.Lock()
        self._groups: OrderedDict[GroupKey, Future[LoadedPairs]] = OrderedDict()

    def take(self, key: GroupKey, following: GroupKey | None) -> LoadedPairs:
        """Returns a group, and starts to load the one that follows it, if any.

        Raises:
            Exception: what `load` raised for this group; the next call tries again.
        """
        with self._lock:
            wanted = self._request(key)
            if following:
                self._request(following)
            while len(self._groups) > _GROUPS_KEPT:
                self._groups.popitem(last=False)
        try:
            return wanted.result()
        except Exception:
            # The shard may be repaired before the next call.
            with self._lock:
                self._groups.pop(key, None)
            raise

    def release(self) -> None:
        """Drops all groups."""
        with self._lock:
            self._groups.clear()

    def _request(self, key: GroupKey) -> "Future[LoadedPairs]":
        if key not in self._groups:
            # One thread a group, which ends: TensorFlow never releases what a dataset was made of.
            future: Future[LoadedPairs] = Future()
            threading.Thread(target=self._fulfil, args=(future, key)).start()
            self._groups[key] = future
        self._groups.move_to_end(key)
        return self._groups[key]

    def _fulfil(self, future: "Future[LoadedPairs]", key: GroupKey) -> None:
        try:
            future.set_result(self._load(key))
        except Exception as error:
            future.set_exception(error)
