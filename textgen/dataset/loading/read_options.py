"""Options of a reader: which blocks of a split are served, and which of their targets.

All indices follow from the counts in the manifest, so the position of every pair in the stream is known before
anything is read. Only targets with enough context, and rows, have to be counted in the shards.
"""

import math
from typing import NamedTuple

import numpy as np

from textgen.dataset.loading.arguments import check_fraction, check_integer
from textgen.dataset.storage import ragged
from textgen.dataset.storage.blocks import BlockLocations
from textgen.dataset.storage.layouts import Layout
from textgen.dataset.storage.records import ReadRequest, RecordFormat
from textgen.errors import require

_FRACTION_SEED = 0
"""Constant, so that a fraction is the same for every reader, and part of every larger fraction."""


class LoadOptions(NamedTuple):
    """Selection of the pairs of a split; None is the value of the preparation.

    Attributes:
        window: W, the maximum number of tokens in an X.
        stride: keep every `stride`-th target of the corpus.
        min_context: minimum number of tokens in an X.
        fraction: share of the pairs, above 0 and up to 1, in blocks from all over the split.
        rows: whether rows of up to W targets are served instead of pairs.
    """

    window: int | None = None
    stride: int | None = None
    min_context: int = 1
    fraction: float = 1.0
    rows: bool = False


class ResolvedOptions(NamedTuple):
    """Options for one dataset.

    Attributes:
        request: what its layout is asked for.
        step: keep every `step`-th target of those in the shards.
        fraction: see `LoadOptions`.
    """

    request: ReadRequest
    step: int
    fraction: float


class SelectedBlocks(NamedTuple):
    """The N blocks that are served, in the order of the corpus.

    Attributes:
        locations: location of each block.
        targets: int [N], number of targets with enough context, or of rows, in each block.
        firsts: int [N], index of the first of them that is served.
        pairs: int [N], number of them that are served.
        contiguous: bool [N], whether the block before it in the corpus is served too, and up to its end.
    """

    locations: BlockLocations
    targets: np.ndarray
    firsts: np.ndarray
    pairs: np.ndarray
    contiguous: np.ndarray


def resolve(options: LoadOptions, layout: Layout, written: RecordFormat) -> ResolvedOptions:
    """Resolves options for a dataset of this layout that was written so.

    Raises:
        UserError: a number is out of range, or the shards don't hold what is asked for.
    """
    check_integer("window", options.window, none="that of the preparation")
    check_integer("stride", options.stride, none="that of the preparation")
    check_integer("min context", options.min_context)
    check_fraction("fraction", options.fraction)
    request = ReadRequest(
        window=written.window if options.window is None else options.window,
        stride=written.stride if options.stride is None else options.stride,
        min_context=options.min_context,
        rows=options.rows,
    )
    layout.check(request, written)
    require(
        request.stride >= 1 and request.stride % written.stride == 0,
        f"stride is {request.stride}; it must be a multiple of {written.stride}, the stride of the shards. Use "
        "such a multiple, or prepare the text with another stride.",
    )
    require(
        1 <= request.min_context <= request.window,
        f"min context is {request.min_context}; it must be from 1 to the window, which is {request.window}. Use "
        "1 for every target.",
    )
    return ResolvedOptions(request, request.stride // written.stride, options.fraction)


def select_blocks(locations: BlockLocations, targets: np.ndarray, *, step: int, fraction: float) -> SelectedBlocks:
    """Selects every `step`-th target of the blocks, and of these a fraction.

    Args:
        locations: all N blocks of the split, in order.
        targets: int [N], number of targets, or of rows, in each block.
        step: steps continue from block to block, so that short documents are served too.
        fraction: see `LoadOptions`.
    """
    before = np.cumsum(targets) - targets
    firsts = -before % step
    all_pairs = np.maximum(-((firsts - targets) // step), 0)
    pairs = _take_fraction(all_pairs, fraction) if fraction < 1 else all_pairs
    chosen = np.flatnonzero(pairs)
    contiguous = np.append(False, pairs == all_pairs)[chosen]
    return SelectedBlocks(locations.take(chosen), targets[chosen], firsts[chosen], pairs[chosen], contiguous)


def served_indices(blocks: SelectedBlocks, chosen: np.ndarray, *, step: int) -> np.ndarray:
    """Returns int [N], the indices of the targets that are served among all targets of M blocks.

    Args:
        blocks: the blocks of the split.
        chosen: int [M], indices of some of them, in any order.
        step: that of the resolved options.
    """
    targets = blocks.targets[chosen]
    before = np.cumsum(targets) - targets
    return ragged.indices(before + blocks.firsts[chosen], blocks.pairs[chosen], step=step)


def _take_fraction(pairs: np.ndarray, fraction: float) -> np.ndarray:
    """Returns int [N], the pairs kept of each block: whole blocks in a random order, then part of one more."""
    order = np.random.RandomState(_FRACTION_SEED).permutation(len(pairs))
    before = np.cumsum(pairs[order]) - pairs[order]
    wanted = math.ceil(fraction * pairs.sum())
    kept = np.empty_like(pairs)
    kept[order] = np.clip(wanted - before, 0, pairs[order])
    return kept
