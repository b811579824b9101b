"""Stateful rows: row b of each batch continues row b of the batch before, for a model that keeps its LSTM state.

Of R rows in the order of the corpus, row b of step s is row b * L + s, with L = R // B steps per epoch: each batch
index reads L consecutive rows per epoch. Only the blocks in use are in memory.

On a long document, a row would begin from zero states only once an epoch, and a network would not learn to begin. So
rows can also begin anew at random steps, as a function of the seed and the step.
"""

import functools

import numpy as np

from textgen.dataset.loading.batch_stream import Allocate, ArraySpec, WorkerSlice
from textgen.dataset.loading.shuffle import fresh_rows
from textgen.dataset.loading.split_reader import SplitReader
from textgen.dataset.storage.layouts import LoadedRows
from textgen.errors import require


class StatefulRows:
    """Batches of one worker's stateful rows. See `BatchStream`.

    A batch has x and y, [N, W] of the dtype of the ids, and `fresh`, bool [N], True for rows that do not continue the
    batch before; N is the size of the slice.
    """

    drop_remainder = True

    def __init__(
        self,
        reader: SplitReader,
        part: WorkerSlice,
        *,
        batch_size: int,
        epochs: int | None,
        restarts: float = 0.0,
        seed: int = 0,
    ):
        """Computes the first row of each batch index.

        Args:
            reader: reader of a split, opened for rows.
            part: slice of each global batch to serve.
            batch_size: B, number of rows in a global batch.
            epochs: number of epochs; None for a stream without end.
            restarts: probability with which a row begins anew, from 0 up to 1.
            seed: seed of the steps at which rows begin anew.

        Raises:
            UserError: there are fewer than B rows, or `restarts` is out of range.
        """
        require(
            batch_size <= reader.pairs,
            f"batch size is {batch_size}, but the split has only {reader.pairs} rows; stateful training "
            "needs at least one row per batch element. Use a smaller batch size or window, or leave --stateful out.",
        )
        require(0 <= restarts <= 1, f"restarts is {restarts}; it must be from 0 to 1.")
        self._reader, self.part, self.batch_size, self.epochs = reader, part, batch_size, epochs
        self._restarts, self._seed = restarts, seed
        self.reshuffles = restarts > 0
        self.steps_per_epoch = self.whole_steps = reader.pairs // batch_size
        shape = (reader.window,)
        self.arrays: tuple[ArraySpec, ...] = (
            ArraySpec(shape, reader.dtype),
            ArraySpec(shape, reader.dtype),
            ArraySpec((), np.dtype(bool)),
        )
        first, size = part.start(batch_size), part.size(batch_size)
        # int [size], row of each batch index at the first step of an epoch.
        self._first_rows = np.arange(first, first + size) * self.steps_per_epoch
        self._block_ends = np.cumsum(reader.blocks.pairs)
        # Large enough for the current and the next block of each batch index.
        self._block = functools.lru_cache(maxsize=2 * size)(self._read)

    def fill_batches(self, first: int, end: int, allocate: Allocate) -> list[np.ndarray]:
        """Returns x and y, [N, W], and bool [N], True for rows that continue none; see `BatchStream`."""
        steps, size = end - first, len(self._first_rows)
        step = first % self.steps_per_epoch
        # Ordered by batch index and then step, the rows ascend, so the rows of a block are consecutive.
        rows = (self._first_rows[:, None] + np.arange(step, step + steps)).ravel()
        by_index = [np.empty((len(rows), *array.shape), array.dtype) for array in self.arrays]
        self._fill(rows, *by_index)
        x, y, fresh = allocate(len(rows))
        for array, index_first in zip((x, y, fresh), by_index, strict=True):
            matrix = index_first.reshape(size, steps, *array.shape[1:])
            array.reshape(steps, size, *array.shape[1:])[...] = matrix.swapaxes(0, 1)
        if step == 0:
            fresh[:size] = True
        if self._restarts:
            mine, first_row = fresh.reshape(steps, size), self.part.start(self.batch_size)
            for i in range(steps):
                anew = fresh_rows(self.batch_size, rate=self._restarts, seed=self._seed, step=first + i)
                mine[i] |= anew[first_row : first_row + size]
        return [x, y, fresh]

    def release(self) -> None:
        """See `BatchStream`."""
        self._block.cache_clear()

    def _fill(self, rows: np.ndarray, x: np.ndarray, y: np.ndarray, fresh: np.ndarray) -> None:
        """Fills x [N, W], y [N, W] and fresh, bool [N], with the rows at ascending indices of the split, int [N]."""
        done = 0
        while done < len(rows):
            block = int(np.searchsorted(self._block_ends, rows[done], side="right"))
            stop = int(np.searchsorted(rows, self._block_ends[block]))
            loaded, indices = self._block(block), rows[done:stop] - self._block_start(block)
            loaded.extract(indices, x[done:stop], y[done:stop])
            fresh[done:stop] = loaded.starts_document[indices]
            if not self._reader.blocks.contiguous[block]:
                fresh[done:stop] |= indices == 0
            done = stop

    def _block_start(self, block: int) -> int:
        return int(self._block_ends[block] - self._reader.blocks.pairs[block])

    def _read(self, block: int) -> LoadedRows:
        return self._reader.read_rows(np.array([block]), np.arange(self._reader.blocks.pairs[block]))
