"""The order in which an epoch serves its pairs: a pure function of the seed, the epoch and the blocks.

The blocks of the whole split are permuted and taken in groups; the pairs of a group are merged and permuted.
So every pair is served once an epoch, pairs that are neighbours in a batch come from all over the split, only one
group is in memory, and the place in the order is one number.

NumPy promises that a `RandomState` of a given seed gives the same permutations in every version (NEP 19).
"""

from typing import NamedTuple

import numpy as np

GROUP_BLOCKS = 16
"""Blocks merged at a time: with 16,384 pairs a block, pairs are mixed over a quarter of a million."""

_BLOCKS, _PAIRS = 0, 1


class EpochOrder(NamedTuple):
    """The groups of an epoch.

    Attributes:
        groups: for each group the indices of its blocks, in the order they are read.
        ends: [groups], how many pairs are served when a group is done.
    """

    groups: list[np.ndarray]
    ends: np.ndarray


def epoch_order(block_pairs: np.ndarray, *, seed: int | None, epoch: int) -> EpochOrder:
    """The groups of blocks of an epoch.

    Args:
        block_pairs: int[blocks], how many pairs each block of the split holds.
        seed: None for the order of the corpus.
        epoch: counted from 0.
    """
    blocks = np.arange(len(block_pairs))
    if seed is not None:
        blocks = _random(seed, epoch, _BLOCKS).permutation(blocks)
    groups = [blocks[i : i + GROUP_BLOCKS] for i in range(0, len(blocks), GROUP_BLOCKS)]
    sizes = [int(block_pairs[group].sum()) for group in groups]
    return EpochOrder(groups, np.cumsum(sizes))


def group_order(pairs: int, *, seed: int | None, epoch: int, group: int) -> np.ndarray:
    """int[pairs], the places of a group's pairs in the order that they are served."""
    places = np.arange(pairs)
    return places if seed is None else _random(seed, epoch, _PAIRS, group).permutation(places)


def _random(seed: int, *place: int) -> np.random.RandomState:
    words = np.random.SeedSequence(seed, spawn_key=place).generate_state(8)
    return np.random.RandomState(words)
