"""The `spans` layout: a record has consecutive ids of one document, and windows are made when it is read.

A record has little-endian uint16 numbers, or uint32 for a vocabulary of more than 65,536 ids. The first number is
the number of ids that are context only; the ids follow.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from textgen.dataset.storage import ragged, windows
from textgen.dataset.storage.blocks import BlockContent, record_edges, require_beginning, require_framing
from textgen.dataset.storage.layouts.span_parser import FEWEST_NUMBERS, read_spans
from textgen.dataset.storage.layouts.window_pairs import WindowPairs
from textgen.dataset.storage.records import ReadRequest, RecordFormat, RecordLimits, Records, RestoredIds
from textgen.dataset.storage.windows import Sequences, Windows
from textgen.errors import require


@dataclasses.dataclass(frozen=True)
class Spans:
    """Layout with one span per record. See `Layout`.

    Attributes:
        max_targets: maximum number of targets in a span.
        min_context: minimum number of context ids before the first target of a span, if the document has as many.
    """

    max_targets: int = 16_384
    min_context: int = 256

    name = "spans"
    cost = "about 2 bytes per pair on disk; window, stride and rows of targets are chosen when the dataset is read"
    # A span takes about half the bytes of its text, so a shard stays below about 100 MB.
    max_unit_bytes = 32 << 20
    any_window = True

    def context(self, window: int) -> int:
        """See `Layout`."""
        return max(window, self.min_context)

    def limits(self, written: RecordFormat) -> RecordLimits:
        """See `Layout`; each span has a header, one id or more of context, and one or more from a target on."""
        targets, size = self._most_targets(written.stride), written.id_dtype.itemsize
        most = (1 + self.context(written.window) + targets) * size
        return RecordLimits(FEWEST_NUMBERS * size, most, max_pairs=-(-targets // written.stride))

    def encode(self, sequences: Sequences, written: RecordFormat) -> Iterator[Records]:
        """Yields all spans at once, each a header and its ids, as bytes of uint8 [T]; see `Layout`."""
        stride, dtype = written.stride, written.id_dtype
        made = windows.spans(sequences, context=self.context(written.window), max_targets=self._most_targets(stride))
        # The headers, one per span, follow the ids.
        source = np.concatenate([made.ids.astype(dtype, copy=False), (made.firsts - made.starts).astype(dtype)])
        headers = len(made.ids) + np.arange(len(made.starts))
        starts = np.stack([headers, made.starts], axis=1)
        lengths = np.stack([np.ones_like(headers), made.ends - made.starts], axis=1)
        numbers, ends = ragged.join(source, starts, lengths)
        pairs = windows.target_counts(made.firsts, made.ends, stride=stride)
        yield Records(numbers.view(np.uint8), ends[1::2] * dtype.itemsize, pairs)

    def check(self, wanted: ReadRequest, written: RecordFormat) -> None:
        """Checks that the records contain what is wanted; see `Layout`.

        Raises:
            UserError: the window is too long, or rows are wanted and not every token is a target.
        """
        window = wanted.window
        if wanted.rows:
            require(
                written.stride == 1,
                f"the stride of this dataset is {written.stride}; rows of targets need every target. "
                "Prepare it with --layout spans --stride 1.",
            )
            require(1 <= window <= self.max_targets, f"window is {window}; it must be from 1 to {self.max_targets}.")
            return
        longest = self.context(written.window)
        require(
            1 <= window <= longest,
            f"window is {window}; it must be from 1 to {longest}, the tokens of context in the shards.",
        )

    def count(self, content: BlockContent, wanted: ReadRequest, written: RecordFormat) -> int:
        """See `Layout`."""
        found = self._read([content], wanted, written)
        step = wanted.window if wanted.rows else written.stride
        return int(windows.target_counts(found.firsts, found.ends, stride=step).sum())

    def load(
        self, contents: Sequence[BlockContent], order: np.ndarray, wanted: ReadRequest, written: RecordFormat
    ) -> WindowPairs:
        """Reads the ids of spans, from which pairs are extracted on demand; see `Layout`.

        Args:
            contents: the blocks.
            order: int [N], indices of the pairs to serve among all pairs of the blocks, in the order to serve them.
            wanted: window and minimum context.
            written: see `Layout`.
        """
        ids, *edges = self._read(contents, wanted, written)
        # int32 halves the memory traffic.
        compact = Sequences(ids, *(each.astype(np.int32) for each in edges))
        targets = windows.targets(compact, window=wanted.window, stride=written.stride)
        return WindowPairs(ids, targets, order, window=wanted.window)

    def load_rows(
        self, contents: Sequence[BlockContent], order: np.ndarray, wanted: ReadRequest, written: RecordFormat
    ) -> "SpanRows":
        """Reads the ids of spans, from which rows of targets are extracted on demand; see `Layout`.

        Args:
            contents: the blocks.
            order: int [N], indices of the rows to serve among all rows of the blocks, in the order to serve them.
            wanted: window, the maximum number of targets in a row, and minimum context.
            written: see `Layout`.
        """
        return SpanRows(self._read(contents, wanted, written), order, window=wanted.window)

    def not_restorable(self, written: RecordFormat) -> str:
        """See `Layout`."""
        return ""

    def restore(
        self, contents: Iterable[BlockContent], written: RecordFormat, *, exact: bool = False
    ) -> Iterator[RestoredIds]:
        """See `Layout`."""
        targets_before = 0
        for content in contents:
            spans = read_spans([content], written)
            if exact:
                require_framing(content, *record_edges(content))
            require_beginning(content, spans.firsts[0] - spans.starts[0] == 1)
            restored, targets_before = _restored(spans, written.stride, targets_before)
            yield restored

    def _most_targets(self, stride: int) -> int:
        """Returns the maximum number of ids from the first target of a span on, a multiple of the stride."""
        return self.max_targets // stride * stride or stride

    def _read(self, contents: Sequence[BlockContent], wanted: ReadRequest, written: RecordFormat) -> Sequences:
        """Returns the spans of blocks; targets with less context than wanted become context."""
        found = read_spans(contents, written)
        if wanted.min_context == 1:
            return found
        missing = np.maximum(found.starts + wanted.min_context - found.firsts, 0)
        return found._replace(firsts=found.firsts - -missing // written.stride * written.stride)


class SpanRows:
    """Rows of up to W targets in memory, each with the ids before its targets. See `LoadedRows`."""

    def __init__(self, sequences: Sequences, order: np.ndarray, *, window: int):
        """Computes the rows.

        Args:
            sequences: the spans.
            order: int [N], indices of the rows to serve, in the order to serve them.
            window: W, maximum number of targets in a row.
        """
        self._windows = Windows(sequences.ids, window=window)
        firsts, widths, starts_document = windows.rows(sequences, window=window)
        self._firsts, self._widths, self.starts_document = firsts[order], widths[order], starts_document[order]

    def extract(self, indices: slice | np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """Fills x and y with the rows at N indices; see `LoadedPairs`.

        Args:
            indices: int [N], or a slice of length N.
            x: [N, W] of any integer dtype.
            y: [N, W] of any integer dtype.
        """
        firsts, widths = self._firsts[indices], self._widths[indices]
        x[...] = self._windows.extract(firsts - 1, widths)
        y[...] = self._windows.extract(firsts, widths)


def _restored(spans: Sequences, stride: int, targets_before: int) -> tuple[RestoredIds, int]:
    """Removes from each span the context ids that an earlier span has too.

    Args:
        spans: the spans of a block, at least one.
        stride: distance from one target to the next.
        targets_before: number of ids from the first target to the end of the last span before these.

    Returns:
        The ids, and `targets_before` for the next block.
    """
    contexts = spans.firsts - spans.starts
    targets = spans.ends - spans.firsts
    # If the span before ended before the next target, the context has new ids too.
    new_in_context = -np.concatenate([[targets_before], targets[:-1]]) % stride
    is_first = contexts == 1
    # A stride above the context leaves out ids.
    old = np.where(is_first, 0, np.maximum(contexts - new_in_context, 0))
    counts = spans.ends - spans.starts - old
    ids, ends = ragged.join(spans.ids, spans.starts + old, counts)
    return RestoredIds(ids.astype(np.int64), (ends - counts)[is_first]), int(targets[-1])
