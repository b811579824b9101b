"""What a reader takes of a split: which blocks, and which of their targets.

All of it is reckoned from the manifest's counts, so that the place of every pair in the stream is known before
anything is read; only the number of targets with enough context, and that of rows, has to be counted in the shards.
"""

import math
from typing import NamedTuple

import numpy as np

from textgen.config import PrepareConfig
from textgen.dataset.storage.records import SPAN_CONTEXT, SPAN_TARGETS
from textgen.dataset.storage.shards import Place
from textgen.errors import require

_ANY_SEED = 0
"""A share is the same for everyone, and part of every larger share."""


class Choice(NamedTuple):
    """How a split is served; None stands for what it was made with.

    Attributes:
        window: W, the most tokens in an X.
        stride: every so manieth target of the corpus.
        min_context: the tokens that an X has at the least.
        fraction: the share of the pairs, above 0 and up to 1, in blocks from all over the split.
        rows: whether rows of up to W targets are served, in the place of pairs.
    """

    window: int | None = None
    stride: int | None = None
    min_context: int = 1
    fraction: float = 1.0
    rows: bool = False


class Settled(NamedTuple):
    """A choice for one dataset; of the targets in its shards, every `step`-th is served."""

    window: int
    step: int
    min_context: int
    fraction: float
    rows: bool = False


class Blocks(NamedTuple):
    """The N blocks that are served, in the order of the corpus.

    Attributes:
        places: where each lies.
        targets: int[N], how many targets with enough context each holds, or how many rows.
        firsts: int[N], which of them is the first that is served.
        pairs: int[N], how many are.
        follow: bool[N], whether the block before it in the corpus is served, and no share of it is missing.
    """

    places: list[Place]
    targets: np.ndarray
    firsts: np.ndarray
    pairs: np.ndarray
    follow: np.ndarray


def settle(choice: Choice, config: PrepareConfig) -> Settled:
    """What a choice is for a dataset made with this config.

    Raises:
        UserError: a number is out of range, or fixed in the shards of the `pairs` layout, or rows are wanted and the
            shards have not every target of stretches of text.
    """
    window = config.window if choice.window is None else choice.window
    stride = config.stride if choice.stride is None else choice.stride
    if choice.rows:
        require(
            (config.layout, config.stride) == ("spans", 1),
            f"the layout is {config.layout} and the stride {config.stride}; rows of targets are cut from spans with "
            "every target. Prepare with --layout spans --stride 1.",
        )
        require(1 <= window <= SPAN_TARGETS, f"window is {window}; a row has from 1 to {SPAN_TARGETS} targets.")
    longest = max(config.window, SPAN_CONTEXT)
    require(
        choice.rows or 1 <= window <= longest,
        f"window is {window}; the shards hold up to {longest} tokens of context.",
    )
    require(
        stride >= 1 and stride % config.stride == 0,
        f"stride is {stride}; the shards hold every target number {config.stride}, so it must be a multiple of that.",
    )
    require(
        1 <= choice.min_context <= window,
        f"min context is {choice.min_context}; it must be from 1 to the window, which is {window}.",
    )
    require(0 < choice.fraction <= 1, f"fraction is {choice.fraction}; it must be above 0 and at most 1.")
    fixed = (window, stride, choice.min_context) == (config.window, config.stride, 1)
    require(
        config.layout == "spans" or fixed,
        "the windows of the pairs layout are cut already. Prepare with --layout spans to choose window, stride or "
        "min context when reading.",
    )
    return Settled(window, stride // config.stride, choice.min_context, choice.fraction, choice.rows)


def choose(places: list[Place], targets: np.ndarray, *, step: int, fraction: float) -> Blocks:
    """Every `step`-th target of the blocks, and of these a share.

    Args:
        places: the split's blocks in order.
        targets: int[N], how many targets, or rows, each holds.
        step: counted on from block to block, so that short documents have their share.
        fraction: see Choice.
    """
    before = np.cumsum(targets) - targets
    firsts = -before % step
    all_pairs = np.maximum(-((firsts - targets) // step), 0)
    pairs = _share(all_pairs, fraction) if fraction < 1 else all_pairs
    chosen = np.flatnonzero(pairs)
    follow = np.append(False, pairs == all_pairs)[chosen]
    return Blocks([places[i] for i in chosen], targets[chosen], firsts[chosen], pairs[chosen], follow)


def _share(pairs: np.ndarray, fraction: float) -> np.ndarray:
    """As many whole blocks as the share holds, in an order of chance, and of one more the part that is missing."""
    order = np.random.RandomState(_ANY_SEED).permutation(len(pairs))
    before = np.cumsum(pairs[order]) - pairs[order]
    wanted = math.ceil(fraction * pairs.sum())
    kept = np.empty_like(pairs)
    kept[order] = np.clip(wanted - before, 0, pairs[order])
    return kept
