"""Order of the pairs of an epoch: a pure function of the seed, the epoch and the blocks.

The blocks of the whole split are permuted and taken in groups; the pairs of a group are merged and permuted.
So every pair is served once per epoch, neighbours in a batch come from all over the split, only a few groups are in
memory, and the position in the order is one number.

Pairs are mixed within a group: by default up to 64 blocks of 16,384 pairs, a million, and at most 64 MiB on disk:
64 blocks of `spans`, and about 40 of `pairs` with 44 tokens. A shuffle buffer of that many pairs would hold one
consecutive part of the corpus; a group holds parts from anywhere in it.

NumPy guarantees that a `RandomState` of a given seed gives the same permutations in every version (NEP 19).
"""

from typing import NamedTuple

import numpy as np

from textgen.dataset.loading.tuning import DEFAULT_TUNING, Tuning

_BLOCKS, _PAIRS, _SOURCES, _RESTARTS = 0, 1, 2, 3


class EpochOrder(NamedTuple):
    """Shuffle groups of an epoch.

    Attributes:
        blocks: int [N], indices of all blocks in reading order; `group_blocks` consecutive ones are a group.
        group_blocks: number of blocks in a group; the last group may have fewer.
        ends: int [groups], number of pairs served by the end of each group.
    """

    blocks: np.ndarray
    group_blocks: int
    ends: np.ndarray

    def group(self, index: int) -> np.ndarray:
        """Returns int [M], the indices of the blocks of a group."""
        return self.blocks[index * self.group_blocks :][: self.group_blocks]

    def size(self, index: int) -> int:
        """Returns the number of pairs of a group."""
        return int(self.ends[index] - (self.ends[index - 1] if index else 0))


def blocks_per_group(block_bytes: np.ndarray, tuning: Tuning = DEFAULT_TUNING) -> int:
    """Returns the number of blocks in a shuffle group, given int [N], the size of each block in bytes."""
    return int(np.clip(tuning.group_bytes // max(1, int(block_bytes.mean())), 1, tuning.group_blocks))


def epoch_order(block_pairs: np.ndarray, *, group_blocks: int, seed: int | None, epoch: int) -> EpochOrder:
    """Permutes the blocks of a split into the shuffle groups of an epoch.

    Args:
        block_pairs: int [N], number of pairs in each block of the split.
        group_blocks: number of blocks in a group.
        seed: seed of the order; None for the order of the corpus.
        epoch: index of the epoch, from 0.
    """
    blocks: np.ndarray = np.arange(len(block_pairs))
    if seed is not None:
        blocks = _random(seed, epoch, _BLOCKS).permutation(blocks)
    sizes = np.add.reduceat(block_pairs[blocks], np.arange(0, len(blocks), group_blocks))
    return EpochOrder(blocks, group_blocks, np.cumsum(sizes))


def group_order(pairs: int, *, seed: int | None, epoch: int, group: int) -> np.ndarray:
    """Returns int [pairs], the indices of the pairs of a group in serving order."""
    indices = np.arange(pairs)
    if seed is None:
        return indices
    # Sorts random numbers whose low bits are the indices: unlike `permutation`, that releases the GIL.
    bits = pairs.bit_length()
    keys = _random(seed, epoch, _PAIRS, group).randint(0, 1 << (63 - bits), pairs, dtype=np.int64)
    # In place, because mapping fresh memory takes as long as the computation.
    keys <<= bits
    keys |= indices
    keys.sort()
    keys &= (1 << bits) - 1
    return keys


def batch_order(counts: np.ndarray, *, seed: int | None, step: int) -> np.ndarray:
    """Returns int [B], the index of the source of each pair of a batch, with `counts[i]` pairs of source i."""
    sources = np.repeat(np.arange(len(counts)), counts)
    return sources if seed is None else _random(seed, step, _SOURCES).permutation(sources)


def fresh_rows(rows: int, *, rate: float, seed: int, step: int) -> np.ndarray:
    """Returns bool [rows], the stateful rows that begin anew at a step, each with the probability `rate`."""
    return _random(seed, step, _RESTARTS).random_sample(rows) < rate


def _random(seed: int, *key: int) -> np.random.RandomState:
    words = np.random.SeedSequence(seed, spawn_key=key).generate_state(8)
    return np.random.RandomState(words)
