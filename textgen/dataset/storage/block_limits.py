"""Bounds of the blocks in a manifest, by the format of their records.

Reading a block takes time and memory in proportion to its size, whoever wrote it.
"""

from collections.abc import Iterator

import numpy as np

from textgen.dataset.storage.framing import AFTER_RECORD, BEFORE_RECORD
from textgen.dataset.storage.records import RecordLimits
from textgen.dataset.storage.shards import BLOCK_PAIRS

MAX_BLOCK_BYTES = (1 << 31) - 1
"""Maximum size of a block, in which 32 bits count the ids."""


def find_block_fault(rows: np.ndarray, limits: RecordLimits) -> tuple[int, str] | None:
    """Returns the index of a block that no preparation writes, what of it is so, and the rule; None if there is none.

    Args:
        rows: int64 [N, 4], the values of each `Block`.
        limits: limits of its records.
    """
    for numbers, names, least, most in _bounds(rows, limits):
        wrong = np.flatnonzero((numbers < least) | (numbers > most))
        if len(wrong):
            index = int(wrong[0])
            low, high = (np.broadcast_to(bound, numbers.shape)[index] for bound in (least, most))
            found = names.format(*rows[index].tolist())
            return index, f"{found}; there can be {low:,} to {high:,}"
    return None


def _bounds(rows: np.ndarray, limits: RecordLimits) -> Iterator[tuple[np.ndarray, str, np.ndarray, np.ndarray]]:
    """Yields int64 [N] numbers of N blocks, their names for an error, and the least and most that they can be.

    A product of numbers has at most 63 bits if the bounds before it hold.
    """
    size, records, pairs, _ = rows.T
    yield pairs, "{2:,} pairs", np.array(1), np.array(BLOCK_PAIRS - 1 + limits.max_pairs)
    yield records, "{1:,} records of {2:,} pairs", -(-pairs // limits.max_pairs), pairs
    framing = BEFORE_RECORD + AFTER_RECORD
    most = np.minimum(records * (framing + limits.max_bytes), MAX_BLOCK_BYTES)
    yield size, "{0:,} bytes of {1:,} records", records * (framing + limits.min_bytes), most
