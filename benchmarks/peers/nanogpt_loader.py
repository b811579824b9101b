"""Pairs served as nanoGPT's `get_batch` does: a batch is a stack of slices at random places, drawn with replacement.

Without processes beside it, as there. A slice holds the target too, so that a batch is one stack.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import serving
import torch


def main() -> None:
    given = serving.parser().parse_args()
    serving.measure(lambda: batches(given.data), given.seconds)


def batches(path: Path) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    ids = serving.read_ids(path)
    length = serving.WINDOW + 1
    while True:
        places = torch.randint(len(ids) - serving.WINDOW, (serving.BATCH,)).tolist()
        cut = torch.stack([torch.from_numpy(ids[place : place + length].astype(np.int32)) for place in places])
        yield cut[:, :-1], cut[:, -1]


if __name__ == "__main__":
    main()
