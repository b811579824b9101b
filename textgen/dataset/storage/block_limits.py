"""Bounds of the blocks in a manifest, by the format of their records.

Reading a block takes time and memory in proportion to its size, whoever wrote it.
"""

from textgen.dataset.storage.framing import AFTER_RECORD, BEFORE_RECORD
from textgen.dataset.storage.records import RecordLimits
from textgen.dataset.storage.shards import BLOCK_PAIRS, Block

MAX_BLOCK_BYTES = (1 << 31) - 1
"""Maximum size of a block, in which 32 bits count the ids."""


def block_fault(block: Block, limits: RecordLimits) -> str:
    """Returns what of a block no preparation writes, and the rule; empty if the block may be one.

    Args:
        block: the block.
        limits: limits of its records.
    """
    max_pairs = BLOCK_PAIRS - 1 + limits.max_pairs
    if not 1 <= block.pairs <= max_pairs:
        return f"{block.pairs:,} pairs; there can be 1 to {max_pairs:,}"
    fewest = -(-block.pairs // limits.max_pairs)
    if not fewest <= block.records <= block.pairs:
        return f"{block.records:,} records of {block.pairs:,} pairs; there can be {fewest:,} to {block.pairs:,}"
    framing = BEFORE_RECORD + AFTER_RECORD
    least = block.records * (framing + limits.min_bytes)
    most = min(block.records * (framing + limits.max_bytes), MAX_BLOCK_BYTES)
    if not least <= block.bytes <= most:
        return f"{block.bytes:,} bytes of {block.records:,} records; there can be {least:,} to {most:,}"
    return ""
