"""Reads the first pairs of a split by NumPy alone, for a look at them."""

import numpy as np

from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.split_reader import open_split


def first_pairs(directory: str, split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns X int32 [N, W] and y int32 [N], the first N pairs of a split in the order of the corpus, N <= count.

    Raises:
        UserError: the folder is no dataset, its split is empty, or a shard is missing or damaged.
    """
    reader = open_split(directory, split, LoadOptions(), compact=False, cache=None)
    count = min(count, reader.pairs)
    blocks = int(np.searchsorted(np.cumsum(reader.blocks.pairs), count)) + 1
    x, y = np.zeros((count, reader.window), np.int32), np.zeros(count, np.int32)
    reader.read_pairs(np.arange(blocks), np.arange(count)).extract(slice(0, count), x, y)
    return x, y
