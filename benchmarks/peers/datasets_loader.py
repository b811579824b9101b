"""Pairs served by Hugging Face datasets: a Dataset with a row a pair, shuffled.

    python datasets_loader.py FOLDER --ids FILE    writes the rows
    python datasets_loader.py FOLDER [--stream]    serves them

A row is a list of fixed size, the window and its target. Batches are taken as Arrow tables, whose numbers lie on end
already, several times as fast as the formats "numpy" and "torch", which make an array a row. Rows at random places
are asked for by a list of them: a shuffled Dataset looks up each in a table first. With `--stream` the rows are read
in order through a buffer, as datasets recommends for speed; it mixes pairs of the same stretch of the corpus.

In the loop's own process: two others serve less, as every batch goes through a pipe.
"""

import os

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

from collections.abc import Iterator
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import serving
from torch.utils.data import BatchSampler, RandomSampler

ROWS_AT_ONCE = 100_000
SHUFFLE_BUFFER = 100_000
# Their order is shuffled too.
STREAM_SHARDS = 16


def main() -> None:
    parser = serving.parser()
    parser.add_argument("--ids", type=Path, help="write the rows of these ids, and serve nothing")
    parser.add_argument("--stream", action="store_true", help="read in order through a shuffle buffer")
    given = parser.parse_args()
    path = given.data / "pairs.arrow"
    if given.ids:
        given.data.mkdir()
        write(serving.read_ids(given.ids), path)
    else:
        tables = streamed_tables if given.stream else random_tables
        serving.measure(lambda: map(split, tables(datasets.Dataset.from_file(str(path)))), given.seconds)


def write(ids: np.ndarray, path: Path) -> None:
    """As an Arrow stream, the format of the files that datasets maps into memory."""
    windows = serving.windows(ids)
    row = pa.list_(pa.uint16(), serving.WINDOW + 1)
    schema = pa.schema({"ids": row})
    with pa.ipc.new_stream(str(path), schema) as writer:
        for start in range(0, len(windows), ROWS_AT_ONCE):
            numbers = pa.array(windows[start : start + ROWS_AT_ONCE].ravel())
            writer.write_batch(pa.record_batch([pa.FixedSizeListArray.from_arrays(numbers, type=row)], schema))


def random_tables(dataset: datasets.Dataset) -> Iterator[pa.Table]:
    """Every row once per epoch, from all over the dataset."""
    dataset = dataset.with_format("arrow")
    while True:
        for rows in BatchSampler(RandomSampler(dataset), serving.BATCH, drop_last=False):
            yield dataset[rows]


def streamed_tables(dataset: datasets.Dataset) -> Iterator[pa.Table]:
    streamed = dataset.to_iterable_dataset(num_shards=STREAM_SHARDS).with_format("arrow")
    streamed = streamed.shuffle(seed=0, buffer_size=SHUFFLE_BUFFER)
    while True:
        yield from streamed.iter(serving.BATCH)


def split(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Rows → X [B, W] and y [B]."""
    numbers = table["ids"].combine_chunks().flatten().to_numpy()
    cut = numbers.reshape(len(table), -1).astype(np.int32)
    return cut[:, :-1], cut[:, -1]


if __name__ == "__main__":
    main()
