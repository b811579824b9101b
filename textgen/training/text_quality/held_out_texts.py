"""Samples held-out texts of a dataset, as many and as long as texts that were written."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from textgen.config import BOS, EOS, PAD
from textgen.dataset.storage.manifest import Manifest
from textgen.dataset.storage.records import RestoredIds
from textgen.dataset.storage.restored_text import not_restorable, read_restored
from textgen.errors import UserError


def sample_texts(
    data: str | Path, manifest: Manifest, split: str, *, count: int, tokens: int, seed: int, beginnings: bool = False
) -> list[np.ndarray]:
    """Returns texts of a split: beginnings of documents, and of too few documents further stretches too.

    Each document is cut into stretches of `tokens` tokens, whose rest is left out if it is shorter than half of one.
    The first stretches of all documents come first, then the second ones, each in random order. The split is read
    once, and only `count` stretches are in memory.

    Args:
        data: folder or URL of the dataset.
        manifest: its manifest.
        split: "train", "validation" or "test".
        count: maximum number of texts.
        tokens: maximum number of tokens per text.
        seed: seed of the order.
        beginnings: whether to take beginnings of documents only.

    Returns:
        Ids without [BOS] and [EOS], int64 [T] each; T is at least 1.

    Raises:
        UserError: a shard is missing or damaged, or the shards do not hold every token.
    """
    require_restorable(data, manifest)
    random = np.random.RandomState(seed)
    # The stretches with the lowest keys; the highest of them is on top of the heap.
    kept: list[tuple[float, float, np.ndarray]] = []
    for number, stretch in _stretches(read_restored(data, manifest, split), tokens):
        order = random.random_sample()
        if beginnings and number:
            continue
        row = (-float(number), -order, stretch)
        if len(kept) < count:
            heapq.heappush(kept, row)
        else:
            heapq.heappushpop(kept, row)
    return [stretch for *_, stretch in sorted(kept, key=lambda row: row[:2], reverse=True)]


def require_restorable(data: str | Path, manifest: Manifest) -> None:
    """Checks that the shards of a dataset hold every token of its documents.

    Raises:
        UserError: they do not.
    """
    reason = not_restorable(manifest)
    if reason:
        raise UserError(
            f"the texts of {data} cannot be compared, since {reason}. Prepare it with --stride 1 and --layout spans."
        )


def equal_amounts(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns as many texts of both, with about as many tokens together: those of the longer ones lose their ends.

    >>> long, short = [np.arange(8), np.arange(4), np.arange(9)], [np.arange(4), np.arange(2)]
    >>> [[len(text) for text in texts] for texts in equal_amounts(long, short)]
    [[4, 2], [4, 2]]
    """
    count = min(len(first), len(second))
    totals = [sum(len(text) for text in texts[:count]) for texts in (first, second)]
    cut = [
        [text[: max(1, round(len(text) * min(totals) / max(1, total)))] for text in texts[:count]]
        for texts, total in zip((first, second), totals, strict=True)
    ]
    return cut[0], cut[1]


def _stretches(blocks: Iterable[RestoredIds], tokens: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the stretches of documents, int64 [T], each with its number in its document, from 0."""
    waiting: np.ndarray = np.empty(0, np.int64)
    number = 0
    for ids, starts in blocks:
        for index, part in enumerate(np.split(ids, starts)):
            if index:
                # A document begins here; the part before the first one, which may be empty, continues the last one.
                yield from _rest(waiting, number, tokens)
                waiting, number = np.empty(0, np.int64), 0
            waiting = np.concatenate([waiting, part[(part != BOS) & (part != EOS) & (part != PAD)]])
            while len(waiting) >= tokens:
                yield number, waiting[:tokens].copy()
                waiting, number = waiting[tokens:], number + 1
    yield from _rest(waiting, number, tokens)


def _rest(waiting: np.ndarray, number: int, tokens: int) -> Iterator[tuple[int, np.ndarray]]:
    if len(waiting) and (number == 0 or 2 * len(waiting) >= tokens):
        yield number, waiting
