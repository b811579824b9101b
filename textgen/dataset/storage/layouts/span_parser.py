"""Reads the records of the `spans` layout, and checks them: the bytes may be a stranger's."""

from collections.abc import Sequence

import numpy as np

from textgen.dataset.storage import windows
from textgen.dataset.storage.blocks import BlockContent, record_edges, unknown_id
from textgen.dataset.storage.framing import AFTER_RECORD, BEFORE_RECORD, MANY_RECORDS
from textgen.dataset.storage.records import RecordFormat
from textgen.dataset.storage.windows import Sequences

FEWEST_NUMBERS = 3
"""Minimum number of numbers in a span: the header, one id of context, and a target."""


def read_spans(contents: Sequence[BlockContent], written: RecordFormat) -> Sequences:
    """Returns the spans of blocks.

    The ids are a view of the joined bytes; the framing between the records is skipped and never read as ids.

    Args:
        contents: the blocks.
        written: see `Layout`. The size of its dtype of ids divides that of every record and of its framing.

    Returns:
        The ids, [T] of this dtype, with int64 [S], the starts, first targets and ends of the S spans.

    Raises:
        UserError: a record is no span of ids of the vocabulary, or a block has other counts than the manifest says.
    """
    # One array for all blocks, since NumPy takes as long to start as to check a block.
    data, done, found = b"".join(content.data for content in contents), 0, []
    compiled = sum(content.location.block.records for content in contents) >= MANY_RECORDS
    for content in contents:
        found.append(np.stack(record_edges(content, compiled=compiled)) + done)
        done += len(content.data)
    starts, ends = np.concatenate(found, axis=1)
    blocks = _SpanBlocks(contents, np.cumsum([edges.shape[1] for edges in found]))
    size = written.id_dtype.itemsize
    blocks.require(
        ((ends - starts) % size == 0) & (ends - starts >= FEWEST_NUMBERS * size),
        f"a record is no span, which has {FEWEST_NUMBERS} or more numbers of {size} bytes: the length of its "
        "context, the context and its targets",
    )
    spans = span_sequences(np.frombuffer(data, written.id_dtype), starts // size, ends // size)
    blocks.require(
        (spans.firsts > spans.starts) & (spans.firsts < spans.ends),
        "a span has no context or no targets; it has one id or more of each",
    )
    blocks.require_pairs(windows.target_counts(spans.firsts, spans.ends, stride=written.stride))
    if np.count_nonzero(spans.ids >= written.vocabulary_size) > _count_between(spans, written.vocabulary_size):
        # Every second stretch is between two spans.
        largest = np.maximum.reduceat(spans.ids, np.stack([spans.starts, spans.ends], axis=1).ravel())[::2]
        blocks.require(largest < written.vocabulary_size, unknown_id(int(largest.max()), written.vocabulary_size))
    return spans


def _count_between(spans: Sequences, limit: int) -> int:
    """Returns how many numbers before, between and after spans, their framing and headers, reach a limit."""
    framing = AFTER_RECORD + BEFORE_RECORD
    # A view with one item per framing, so that NumPy copies it at once.
    count = len(spans.ids) - framing // spans.ids.itemsize + 1
    items: np.ndarray = np.ndarray(count, np.dtype((np.void, framing)), spans.ids, strides=spans.ids.itemsize)
    between = items.take(spans.ends[:-1]).view(spans.ids.dtype)
    outside = spans.ids[: spans.starts[0] - 1], between, spans.ids[spans.ends[-1] :], spans.firsts - spans.starts
    return sum(int(np.count_nonzero(numbers >= limit)) for numbers in outside)


class _SpanBlocks:
    """Finds the block of a wrong span, for an error that names it."""

    def __init__(self, contents: Sequence[BlockContent], ends: np.ndarray):
        """Args: the blocks, and int [blocks], index after the last span of each."""
        self._contents, self._ends = contents, ends

    def require(self, right: np.ndarray, found: str) -> None:
        """Raises the error `found` for the block of the first span that is not right, bool [S]."""
        if not right.all():
            raise self._contents[int(np.searchsorted(self._ends, np.argmin(right), side="right"))].error(found)

    def require_pairs(self, pairs: np.ndarray) -> None:
        """Checks the number of pairs of each block, given int [S], that of each span."""
        sums = np.diff(np.cumsum(pairs)[self._ends - 1], prepend=0)
        for content, found in zip(self._contents, sums.tolist(), strict=True):
            if found != content.location.block.pairs:
                raise content.error(f"it has {found:,} pairs; the manifest has {content.location.block.pairs:,}")


def span_sequences(numbers: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Sequences:
    """Returns the sequences of spans.

    Args:
        numbers: [T], the numbers of all spans, of the dtype on disk.
        starts: int [S], index of the header of each span.
        ends: int [S], index after the last id of each span.
    """
    return Sequences(numbers, starts + 1, starts + 1 + numbers[starts], ends)
