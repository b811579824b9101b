"""Sizes that trade memory for speed and mixing; the defaults suit a machine with a few GB of memory."""

import os
from typing import NamedTuple


class Tuning(NamedTuple):
    """Sizes of chunks and shuffle groups.

    Only the group sizes change the order of a shuffled epoch; the others change speed and memory alone.

    Attributes:
        group_blocks: maximum number of blocks in a shuffle group.
        group_bytes: maximum size of a group on disk in bytes, so that blocks of wide windows do not fill the memory.
        chunk_pairs: number of pairs extracted at once: many, because each call has a fixed cost, but few enough for
            the processor's cache.
        chunk_ids: maximum number of ids in the windows of a chunk, so that wide windows do not fill the memory.
        parallel_chunks: number of chunks extracted in parallel.
    """

    group_blocks: int = 64
    group_bytes: int = 64 << 20
    chunk_pairs: int = 16_384
    chunk_ids: int = 1 << 20
    parallel_chunks: int = min(4, os.cpu_count() or 1)


DEFAULT_TUNING = Tuning()
