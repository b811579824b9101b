"""Compiled loops that copy windows out of joined ids."""

import numpy as np

from textgen.numba_loops import compiled


@compiled
def fill_pairs(ids: np.ndarray, starts: np.ndarray, targets: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Fills x and y with pairs.

    Args:
        ids: uint16 or uint32 [T].
        starts: int32 [N], index of the first id of each X.
        targets: int32 [N], index of each y; the ids up to it are X, at most W.
        x: [N, W] of any integer dtype, receives X, padded on the right with 0.
        y: [N] of any integer dtype, receives y.
    """
    window = np.uint64(x.shape[1])
    for n in range(len(targets)):
        # Unsigned, see `word_at` in `textgen.numba_loops`.
        start, target = np.uint64(starts[n]), np.uint64(targets[n])
        width = target - start
        for i in range(width):
            x[n, i] = ids[start + i]
        for i in range(width, window):
            x[n, i] = 0
        y[n] = ids[target]
