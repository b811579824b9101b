"""How far apart in the corpus the pairs of one batch are: our order, a shuffle buffer, and a full permutation.

    python benchmarks/mixing.py [--pairs 50000000] [--batch 1024] [--batches 200]

Nothing is read: orders are functions of numbers, and a pair is its place in the corpus. Neighbours share W - 1 tokens
(stride 1), so a batch with members nearer than W says the same thing twice.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from textgen.dataset.loading.shuffle import blocks_per_group, epoch_order, group_order
from textgen.dataset.storage.shards import BLOCK_PAIRS

BUFFER = 100_000
WINDOW = 44
BYTES_PER_PAIR = {"spans": 2.4, "pairs": 94.4}
"""On disk, with this window; a group is bounded by its bytes too."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=50_000_000)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--batches", type=int, default=200, help="how many are looked at, from all over the epoch")
    arguments = parser.parse_args()
    print(f"{arguments.pairs:,} pairs, batches of {arguments.batch:,}\n")
    print("| order | median distance of two pairs of a batch | stretches of 16,384 in a batch | with one within W |")
    print("|---|---|---|---|")
    groups = {layout: group_size(size) for layout, size in BYTES_PER_PAIR.items()}
    for name, batches in (
        *(
            (
                f"ours, `{layout}`: {blocks} blocks of {BLOCK_PAIRS:,} merged",
                ours(arguments.pairs, arguments.batch, blocks),
            )
            for layout, blocks in groups.items()
        ),
        (f"shuffle buffer of {BUFFER:,}", buffered(arguments.pairs, arguments.batch)),
        ("full permutation", permuted(arguments.pairs, arguments.batch)),
    ):
        found = [measure(batch, arguments.pairs) for batch in sampled(batches, arguments)]
        distance, stretches, near = np.mean(found, axis=0)
        print(f"| {name} | {distance:.3%} of the corpus | {stretches:,.0f} | {near:.1%} |", flush=True)


def group_size(bytes_per_pair: float) -> int:
    """How many blocks the loader merges."""
    return blocks_per_group(np.array([bytes_per_pair * BLOCK_PAIRS]))


def sampled(batches: Iterator[np.ndarray], arguments: argparse.Namespace) -> Iterator[np.ndarray]:
    every = max(1, arguments.pairs // arguments.batch // arguments.batches)
    yield from (batch for i, batch in enumerate(batches) if i % every == every // 2)


def measure(places: np.ndarray, pairs: int) -> tuple[float, int, float]:
    """The median distance, the stretches that the batch is from, and the share of pairs with a near neighbour."""
    shuffled = np.random.default_rng(0).permutation(places)
    gaps = np.diff(np.sort(places))
    near = np.append(gaps < WINDOW, False) | np.append(False, gaps < WINDOW)
    return float(np.median(abs(places - shuffled))) / pairs, len(np.unique(places // BLOCK_PAIRS)), float(near.mean())


def ours(pairs: int, batch: int, group_blocks: int) -> Iterator[np.ndarray]:
    """Places in the corpus, batch by batch, as the loader serves them."""
    blocks = np.full(-(-pairs // BLOCK_PAIRS), BLOCK_PAIRS)
    blocks[-1] = pairs - BLOCK_PAIRS * (len(blocks) - 1)
    starts = np.cumsum(blocks) - blocks
    order = epoch_order(blocks, group_blocks=group_blocks, seed=0, epoch=0)
    left = np.empty(0, int)
    for index in range(len(order.ends)):
        merged = np.concatenate([starts[block] + np.arange(blocks[block]) for block in order.group(index)])
        left = np.concatenate([left, merged[group_order(len(merged), seed=0, epoch=0, group=index)]])
        whole = len(left) // batch * batch
        yield from left[:whole].reshape(-1, batch)
        left = left[whole:]


def buffered(pairs: int, batch: int) -> Iterator[np.ndarray]:
    """A buffer that gives one of its pairs by chance, and takes the next of the corpus in its place."""
    chance = np.random.default_rng(0)
    buffer = np.arange(min(BUFFER, pairs))
    for begin in range(len(buffer), pairs - batch, batch):
        slots = chance.integers(len(buffer), size=batch)
        served = np.empty(batch, int)
        for i, slot in enumerate(slots.tolist()):
            served[i], buffer[slot] = buffer[slot], begin + i
        yield served


def permuted(pairs: int, batch: int) -> Iterator[np.ndarray]:
    yield from np.random.default_rng(0).permutation(pairs)[: pairs // batch * batch].reshape(-1, batch)


if __name__ == "__main__":
    main()
