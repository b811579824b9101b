"""Rows of targets as lanes, for a model that carries its state on from step to step.

Of R rows in the order of the corpus, row b of step s is row b * L + s, with L = R // B steps an epoch: each lane is a
stretch of the corpus, and its row at a step goes on where the one before it ended. Only the blocks that the lanes
are in are in memory.
"""

import functools

import numpy as np

from textgen.dataset.loading.split_reader import SplitReader
from textgen.dataset.loading.tf_dataset import Allocate, ArraySpec, WorkerSlice
from textgen.dataset.storage.layouts import LoadedRows
from textgen.errors import require


class StatefulRows:
    """A worker's lanes; see `tf_dataset.BatchStream`."""

    drop_remainder = True

    def __init__(self, reader: SplitReader, part: WorkerSlice, *, batch_size: int, epochs: int):
        """`reader` has rows; `batch_size` is B, the lanes of all workers.

        Raises:
            UserError: there are fewer rows than lanes, or no epochs.
        """
        require(epochs >= 1, f"epochs is {epochs}; it must be at least 1.")
        require(
            batch_size <= reader.pairs,
            f"batch size is {batch_size}, but the split has only {reader.pairs} rows; stateful training "
            "needs at least one row per batch element. Use a smaller batch size or window, or leave --stateful out.",
        )
        self._reader, self.part, self.batch_size, self.epochs = reader, part, batch_size, epochs
        self.steps_per_epoch = self.whole_steps = reader.pairs // batch_size
        shape = (reader.window,)
        self.arrays: tuple[ArraySpec, ...] = (
            ArraySpec(shape, reader.dtype),
            ArraySpec(shape, reader.dtype),
            ArraySpec((), np.dtype(bool)),
        )
        first, lanes = part.begin(batch_size), part.size(batch_size)
        self._begins = np.arange(first, first + lanes) * self.steps_per_epoch
        self._block_ends = np.cumsum(reader.blocks.pairs)
        # The block that each lane is in, and the next.
        self._block = functools.lru_cache(maxsize=2 * lanes)(self._read)

    def cut(self, first: int, end: int, empty: Allocate) -> list[np.ndarray]:
        """See BatchStream."""
        steps, lanes = end - first, len(self._begins)
        step = first % self.steps_per_epoch
        # Lane after lane the rows rise, so that those of a block are on end.
        rows = (self._begins[:, None] + np.arange(step, step + steps)).ravel()
        by_lane = [np.empty((len(rows), *array.shape), array.dtype) for array in self.arrays]
        self._fill(rows, *by_lane)
        x, y, fresh = empty(len(rows))
        for array, lane_first in zip((x, y, fresh), by_lane, strict=True):
            whole = lane_first.reshape(lanes, steps, *array.shape[1:])
            array.reshape(steps, lanes, *array.shape[1:])[...] = whole.swapaxes(0, 1)
        if step == 0:
            fresh[:lanes] = True
        return [x, y, fresh]

    def release(self) -> None:
        """See BatchStream."""
        self._block.cache_clear()

    def _fill(self, rows: np.ndarray, x: np.ndarray, y: np.ndarray, fresh: np.ndarray) -> None:
        """The rows with these numbers, which rise, and whether each does not go on from the one before it."""
        done = 0
        while done < len(rows):
            block = int(np.searchsorted(self._block_ends, rows[done], side="right"))
            stop = int(np.searchsorted(rows, self._block_ends[block]))
            group, numbers = self._block(block), rows[done:stop] - self._begin(block)
            group.extract(numbers, x[done:stop], y[done:stop])
            fresh[done:stop] = group.starts_document[numbers]
            if not self._reader.blocks.contiguous[block]:
                fresh[done:stop] |= numbers == 0
            done = stop

    def _begin(self, block: int) -> int:
        return int(self._block_ends[block] - self._reader.blocks.pairs[block])

    def _read(self, block: int) -> LoadedRows:
        return self._reader.read_rows(np.array([block]), np.arange(self._reader.blocks.pairs[block]))
