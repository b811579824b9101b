"""The `pairs` layout: a record is one (X, y) pair, a `tf.train.Example` that any TFRecord reader parses."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

import numpy as np

from textgen.config import PAD
from textgen.dataset.storage import ragged
from textgen.dataset.storage.blocks import BlockContent, require_beginning
from textgen.dataset.storage.layouts import example_parser, examples
from textgen.dataset.storage.layouts.example_parser import PackedIds
from textgen.dataset.storage.layouts.window_pairs import MANY, WindowPairs
from textgen.dataset.storage.records import ReadRequest, RecordFormat, RecordLimits, Records, RestoredIds
from textgen.dataset.storage.windows import Sequences, Targets
from textgen.errors import UserError, require

_NO_ROWS = (
    "the layout of this dataset is pairs, which has no rows of targets. Prepare it with --layout spans --stride 1."
)


class Pairs:
    """Layout with one pair per record. See `Layout`."""

    name = "pairs"
    cost = "about 92 bytes per pair on disk with a window of 44; window and stride are fixed when it is prepared"
    # A pair takes about 18 times the bytes of its token's text, so a shard stays below about 100 MB.
    max_unit_bytes = 4 << 20
    any_window = False

    def context(self, window: int) -> int:
        """See `Layout`."""
        return window

    def limits(self, written: RecordFormat) -> RecordLimits:
        """See `Layout`."""
        return example_parser.example_limits(window=written.window, vocabulary_size=written.vocabulary_size)

    def encode(self, sequences: Sequences, written: RecordFormat) -> Iterator[Records]:
        """Yields one serialized Example per pair, as bytes of uint8 [T]; see `Layout`."""
        return examples.encode(sequences, window=written.window, stride=written.stride)

    def check(self, wanted: ReadRequest, written: RecordFormat) -> None:
        """Checks that the records contain what is wanted; see `Layout`.

        Raises:
            UserError: rows are wanted, or another window, stride or minimum context than the records have.
        """
        require(not wanted.rows, _NO_ROWS)
        require(
            (wanted.window, wanted.stride, wanted.min_context) == (written.window, written.stride, 1),
            f"window, stride and min context are {wanted.window}, {wanted.stride} and {wanted.min_context}; "
            f"the pairs layout fixed them as {written.window}, {written.stride} and 1. "
            "Prepare with --layout spans to choose them when reading.",
        )

    def count(self, content: BlockContent, wanted: ReadRequest, written: RecordFormat) -> int:
        """See `Layout`."""
        return len(example_parser.find(content)[0])

    def load(
        self, contents: Sequence[BlockContent], order: np.ndarray, wanted: ReadRequest, written: RecordFormat
    ) -> "ParsedPairs | WindowPairs":
        """Parses X, [R, W], and y, [R], of the R pairs of blocks, in the dtype of ids on disk; see `Layout`.

        Many pairs are joined to sequences, whose windows are extracted on demand.

        Args:
            contents: the blocks.
            order: int [N], indices of the pairs to serve, in the order to serve them.
            wanted: checked before; the pairs are as they were written.
            written: see `Layout`.
        """
        if len(order) >= MANY:
            return WindowPairs(*_join(contents, written), order, window=written.window)
        return ParsedPairs(*_parse(contents, written), order)

    def load_rows(
        self, contents: Sequence[BlockContent], order: np.ndarray, wanted: ReadRequest, written: RecordFormat
    ) -> NoReturn:
        """Rejects rows [N, W], as `check` does.

        Raises:
            UserError: always.
        """
        raise UserError(_NO_ROWS)

    def not_restorable(self, written: RecordFormat) -> str:
        """See `Layout`."""
        return "windows of 1 token do not tell where documents begin" if written.window == 1 else ""

    def restore(
        self, contents: Iterable[BlockContent], written: RecordFormat, *, exact: bool = False
    ) -> Iterator[RestoredIds]:
        """See `Layout`."""
        for content in contents:
            yield _restored(content, *_parse([content], written, exact=exact), written.stride)


class ParsedPairs:
    """Pairs of parsed Examples in memory. See `LoadedPairs`."""

    def __init__(self, x: np.ndarray, y: np.ndarray, order: np.ndarray):
        """Keeps the pairs.

        Args:
            x: [R, W], X of all R records, of the dtype of ids on disk.
            y: [R], y of all records, of the same dtype.
            order: int [N], indices of the pairs to serve, in the order to serve them.
        """
        # A view with one item per window, so that NumPy copies a window at once.
        self._rows = x.view(np.dtype((np.void, x.shape[1] * x.dtype.itemsize)))[:, 0]
        self._y, self._order = y, order.astype(np.int32)

    def extract(self, indices: slice | np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """Fills x and y with the pairs at N indices; see `LoadedPairs`.

        Args:
            indices: int [N], or a slice of length N.
            x: [N, W] of any integer dtype.
            y: [N] of any integer dtype.
        """
        records = self._order[indices]
        x[...] = self._rows.take(records).view(self._y.dtype).reshape(x.shape)
        y[...] = self._y.take(records)


def _parse(
    contents: Sequence[BlockContent], written: RecordFormat, *, exact: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Returns X [N, W] and y [N] of the records of blocks, of the dtype of ids on disk."""
    records = sum(content.location.block.records for content in contents)
    x, y = np.empty((records, written.window), written.id_dtype), np.empty(records, written.id_dtype)
    done = 0
    for content in contents:
        found = _packed(content, written)
        some = slice(done, done + len(found.starts))
        found.decode(x[some], y[some])
        if exact:
            found.require_exact(x[some])
        done += len(found.starts)
    return x, y


def _join(contents: Sequence[BlockContent], written: RecordFormat) -> tuple[np.ndarray, Targets]:
    """Returns the joined ids of the records of blocks, [T] of the dtype of ids on disk, and the pairs in them."""
    ids, targets, widths, done = [], [], [], 0
    for content in contents:
        found = _packed(content, written, compiled=True).join(stride=written.stride)
        ids.append(found.ids)
        targets.append(found.targets + np.int32(done))
        widths.append(found.widths)
        done += len(found.ids)
    indices = np.concatenate(targets)
    return np.concatenate(ids), Targets(indices, indices - np.concatenate(widths))


def _packed(content: BlockContent, written: RecordFormat, *, compiled: bool = False) -> PackedIds:
    return PackedIds(content, window=written.window, vocabulary_size=written.vocabulary_size, compiled=compiled)


def _restored(content: BlockContent, x: np.ndarray, y: np.ndarray, stride: int) -> RestoredIds:
    """Joins the new ids of each pair: two for the first pair of a sequence, else the last `stride` ids up to y.

    Args:
        content: the block that the pairs were read from.
        x: [N, W], X of consecutive pairs.
        y: [N], y of these pairs.
        stride: distance from one target to the next.

    Raises:
        UserError: an X is empty, or shorter than that of a pair that continues the one before.
    """
    widths = np.count_nonzero(x != PAD, axis=1)
    # Nothing is longer than a pair: a stride above the window leaves out ids.
    stride = min(stride, x.shape[1])
    if ((widths != 1) & (widths < min(stride + 1, x.shape[1]))).any():
        raise content.error(f"an x has {widths.min()} ids; where it is not the first of a document it has more")
    require_beginning(content, widths[0] == 1)
    rows = np.pad(x, ((0, 0), (0, 1)))
    rows[np.arange(len(rows)), widths] = y
    is_first = widths == 1
    counts = np.where(is_first, 2, stride)
    ids, ends = ragged.join(rows.ravel(), np.arange(len(rows)) * rows.shape[1] + widths + 1 - counts, counts)
    return RestoredIds(ids.astype(np.int64), (ends - counts)[is_first])
