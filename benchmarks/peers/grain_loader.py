"""Pairs served by grain: a RandomAccessDataSource of windows, shuffled and batched, in processes beside the loop.

With `--gather` the elements are places, and the batch function cuts a batch of them by one gather.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import grain
import numpy as np
import serving


class Windows:
    """The windows of a file of ids, each with its target. It travels to other processes as the file's path."""

    def __init__(self, path: Path):
        self.path = path
        self.windows = serving.windows(serving.read_ids(path))

    def __reduce__(self) -> tuple:
        return Windows, (self.path,)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, place: int) -> np.ndarray:
        return self.windows[place]

    def gather(self, places: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        return split(self.windows[np.asarray(places)])


def main() -> None:
    parser = serving.parser()
    parser.add_argument("--gather", action="store_true", help="cut a batch at a time")
    parser.add_argument("--workers", type=int, default=2, help="processes beside the loop's own")
    given = parser.parse_args()
    serving.measure(lambda: batches(Windows(given.data), given.workers, gather=given.gather), given.seconds)


def batches(windows: Windows, workers: int, *, gather: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    source = grain.MapDataset.range(len(windows)) if gather else grain.MapDataset.source(windows)
    batched = source.shuffle(seed=0).repeat().batch(serving.BATCH, batch_fn=windows.gather if gather else split)
    # No threads, as grain advises for data in memory.
    served = batched.to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=8))
    if workers:
        served = served.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=8))
    return iter(served)


def split(windows: Sequence[np.ndarray] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows with their targets → X [B, W] and y [B]."""
    cut = np.asarray(windows, np.int32)
    return cut[:, :-1], cut[:, -1]


if __name__ == "__main__":
    main()
