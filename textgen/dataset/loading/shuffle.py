"""The order in which an epoch serves its pairs: a pure function of the seed, the epoch and the blocks.

The blocks of the whole split are permuted and taken in groups; the pairs of a group are merged and permuted.
So every pair is served once an epoch, pairs that are neighbours in a batch come from all over the split, only a few
groups are in memory, and the place in the order is one number.

The mixing window is a group: 64 blocks of 16,384 pairs, a million. A shuffle buffer of that many pairs would
hold one stretch of the corpus; a group holds 64, from anywhere in it.

NumPy promises that a `RandomState` of a given seed gives the same permutations in every version (NEP 19).
"""

from typing import NamedTuple

import numpy as np

GROUP_BLOCKS = 64
"""Blocks merged at a time at the most."""

GROUP_BYTES = 64 << 20
"""Their bytes on disk at the most, so that blocks of wide windows don't fill the memory."""

_BLOCKS, _PAIRS, _SOURCES = 0, 1, 2


class EpochOrder(NamedTuple):
    """The groups of an epoch.

    Attributes:
        blocks: int[N], all blocks in the order they are read; `group_blocks` on end are a group.
        group_blocks: how many blocks a group has; the last may have fewer.
        ends: int[groups], how many pairs are served when a group is done.
    """

    blocks: np.ndarray
    group_blocks: int
    ends: np.ndarray

    def group(self, index: int) -> np.ndarray:
        """The blocks of a group."""
        return self.blocks[index * self.group_blocks :][: self.group_blocks]


def blocks_a_group(block_bytes: np.ndarray) -> int:
    """How many blocks of these sizes are merged at a time."""
    return int(np.clip(GROUP_BYTES // max(1, int(block_bytes.mean())), 1, GROUP_BLOCKS))


def epoch_order(block_pairs: np.ndarray, *, group_blocks: int, seed: int | None, epoch: int) -> EpochOrder:
    """The groups of blocks of an epoch.

    Args:
        block_pairs: int[N], how many pairs each block of the split holds.
        group_blocks: how many blocks are merged.
        seed: None for the order of the corpus.
        epoch: counted from 0.
    """
    blocks = np.arange(len(block_pairs))
    if seed is not None:
        blocks = _random(seed, epoch, _BLOCKS).permutation(blocks)
    sizes = np.add.reduceat(block_pairs[blocks], np.arange(0, len(blocks), group_blocks))
    return EpochOrder(blocks, group_blocks, np.cumsum(sizes))


def group_order(pairs: int, *, seed: int | None, epoch: int, group: int) -> np.ndarray:
    """int[pairs], the places of a group's pairs in the order that they are served."""
    places = np.arange(pairs)
    if seed is None:
        return places
    # Random numbers with the places as their last bits, sorted: unlike `permutation`, that lets other threads run.
    bits = pairs.bit_length()
    drawn = _random(seed, epoch, _PAIRS, group).randint(0, 1 << (63 - bits), pairs, dtype=np.int64)
    # In place, since fresh pages take as long as the work on them.
    drawn <<= bits
    drawn |= places
    drawn.sort()
    drawn &= (1 << bits) - 1
    return drawn


def batch_order(counts: np.ndarray, *, seed: int | None, step: int) -> np.ndarray:
    """int[B], from which source each pair of a batch comes; source i gives `counts[i]` of them."""
    sources = np.repeat(np.arange(len(counts)), counts)
    return sources if seed is None else _random(seed, step, _SOURCES).permutation(sources)


def _random(seed: int, *place: int) -> np.random.RandomState:
    words = np.random.SeedSequence(seed, spawn_key=place).generate_state(8)
    return np.random.RandomState(words)
