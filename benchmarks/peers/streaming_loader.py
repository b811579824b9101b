"""Pairs served by MosaicML streaming: a shuffled StreamingDataset with a sample a pair, in a DataLoader.

    python streaming_loader.py FOLDER --ids FILE    writes the samples
    python streaming_loader.py FOLDER               serves them

A sample is the bytes of a window and its target, and a batch is made of them by one join: decoding an array a sample
takes longer.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import serving
import streaming_ids
import torch
from streaming import StreamingDataset
from torch.utils.data import DataLoader


def main() -> None:
    parser = serving.parser()
    parser.add_argument("--ids", type=Path, help="write the samples of these ids, and serve nothing")
    parser.add_argument("--workers", type=int, default=2, help="processes; 0: the loop's own")
    given = parser.parse_args()
    if given.ids:
        write(serving.read_ids(given.ids), given.data)
    else:
        serving.measure(lambda: batches(given.data, given.workers), given.seconds)


def write(ids: np.ndarray, folder: Path) -> None:
    data = ids.tobytes()
    size = 2 * (serving.WINDOW + 1)
    with streaming_ids.MDSWriter(columns={"ids": "bytes"}, out=str(folder)) as writer:
        for start in range(0, len(data) - size + 1, 2):
            writer.write({"ids": data[start : start + size]})


def batches(folder: Path, workers: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    dataset = StreamingDataset(local=str(folder), shuffle=True, batch_size=serving.BATCH)
    loader = DataLoader(
        dataset,
        batch_size=serving.BATCH,
        num_workers=workers,
        collate_fn=collate,
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader


def collate(samples: list[dict[str, bytes]]) -> tuple[torch.Tensor, torch.Tensor]:
    joined = np.frombuffer(b"".join(sample["ids"] for sample in samples), np.uint16)
    cut = torch.from_numpy(joined.reshape(len(samples), -1).astype(np.int32))
    return cut[:, :-1], cut[:, -1]


if __name__ == "__main__":
    main()
