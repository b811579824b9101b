"""Pairs of joined ids in memory, whose windows are extracted when they are served."""

import numpy as np

from textgen.dataset.storage.windows import Targets, Windows

MANY = 1 << 16
"""Number of pairs from which compiled loops serve them; those take half a second to load."""


class WindowPairs:
    """Pairs whose X and y are slices of joined ids. See `LoadedPairs`."""

    def __init__(self, ids: np.ndarray, targets: Targets, order: np.ndarray, *, window: int):
        """Brings the pairs into their order.

        Args:
            ids: [T], of the dtype of ids on disk.
            targets: int32 indices of the R pairs in the ids.
            order: int [N], indices of the pairs to serve, in the order to serve them.
            window: W, maximum number of ids in an X.
        """
        self._ids = ids
        # `take` is several times as fast as indexing.
        self._targets, self._starts = targets.indices.take(order), targets.starts.take(order)
        self._windows = None if len(order) >= MANY else Windows(ids, window=window)

    def extract(self, indices: slice | np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """Fills x and y with the pairs at N indices; see `LoadedPairs`.

        Args:
            indices: int [N], or a slice of length N.
            x: [N, W] of any integer dtype.
            y: [N] of any integer dtype.
        """
        targets, starts = self._targets[indices], self._starts[indices]
        if self._windows:
            x[...], y[...] = self._windows.pairs(Targets(targets, starts))
            return
        # Imported late, since numba takes a quarter of a second.
        from textgen.dataset.storage.window_loops import fill_pairs

        fill_pairs(self._ids, starts, targets, x, y)
