"""Pairs served by PyTorch: a shuffled DataLoader over a map-style dataset of windows, in one of three ways.

`tensors`: one pair of tensors per window, which the loader stacks, as is usual. `arrays`: one view per window; the
views of a batch are made one array. `gather`: the windows of a whole batch by one gather in `__getitems__`, which the
loader calls where there is one. Worker processes help only the first: their batches go through shared memory, which
takes longer than to cut them.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import serving
import torch
from torch.utils.data import DataLoader, Dataset, default_collate


class Tensors(Dataset):
    """The pairs of an array of ids."""

    def __init__(self, ids: np.ndarray):
        self.windows = serving.windows(ids)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, place: int) -> Sequence:
        window = torch.from_numpy(self.windows[place].astype(np.int32))
        return window[:-1], window[-1]


class Arrays(Tensors):
    """Each window and its target as one view."""

    def __getitem__(self, place: int) -> np.ndarray:
        return self.windows[place]


class Gather(Tensors):
    """The windows of a whole batch at once."""

    def __getitems__(self, places: list[int]) -> np.ndarray:
        return self.windows[places]


KINDS = {"tensors": Tensors, "arrays": Arrays, "gather": Gather}


def main() -> None:
    parser = serving.parser()
    parser.add_argument("--kind", choices=KINDS, default="tensors", help="how windows are cut")
    parser.add_argument("--workers", type=int, default=0, help="processes beside the loop's own")
    given = parser.parse_args()
    serving.measure(lambda: batches(KINDS[given.kind](serving.read_ids(given.data)), given.workers), given.seconds)


def batches(dataset: Tensors, workers: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    loader = DataLoader(
        dataset,
        batch_size=serving.BATCH,
        shuffle=True,
        num_workers=workers,
        collate_fn=default_collate if type(dataset) is Tensors else collate,
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader


def collate(windows: Sequence[np.ndarray] | np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows with their targets → X [B, W] and y [B]."""
    cut = torch.from_numpy(np.asarray(windows, np.int32))
    return cut[:, :-1], cut[:, -1]


if __name__ == "__main__":
    main()
