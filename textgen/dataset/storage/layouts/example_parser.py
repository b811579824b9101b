"""Parses the Examples that `examples` writes, many at a time and without a Python loop over them.

Each record is found by the name of its last feature, and its length is checked against the TFRecord framing. The size
of its packed window follows from the length of the record. A packed window is W varints: each ends with a byte below
128, and that byte and the one before it are an index into a table of values.

The bytes may be a stranger's. The window and the size of the vocabulary bound the length of a record, and with it the
time and the memory that it takes.
"""

import functools
from typing import NamedTuple

import numpy as np

from textgen.config import PAD
from textgen.dataset.storage import ragged
from textgen.dataset.storage.blocks import BlockContent, record_edges, require_framing, require_records, unknown_id
from textgen.dataset.storage.framing import AFTER_RECORD, BEFORE_RECORD
from textgen.dataset.storage.layouts.examples import RECORDS_AT_ONCE, VARINT_LIMITS, example_frame, varint_size
from textgen.dataset.storage.records import RecordLimits, id_dtype

_Y_NAME = b"\n\x01y\x12"
"""Bytes that occur in each Example once, or more often if ids happen to have these bytes."""

_Y_BEFORE_NAME, _Y_AFTER_NAME = 2, 5
"""Number of bytes of y's entry before its name, and after it up to the packed value; the last one is its size."""


def example_limits(*, window: int, vocabulary_size: int) -> RecordLimits:
    """Returns the limits of an Example of W ids and a target."""
    id_bytes = varint_size(vocabulary_size - 1)
    least, most = (sum(map(len, example_frame(window * size, size))) + (window + 1) * size for size in (1, id_bytes))
    return RecordLimits(least, most, max_pairs=1)


def find(content: BlockContent) -> tuple[np.ndarray, np.ndarray]:
    """Returns int64 [N] and int64 [N], the offsets of the start and the end of each Example of a block.

    Raises:
        UserError: the records do not fill the block, or are not as many as the manifest says.
    """
    data = np.frombuffer(content.data, np.uint8)
    if len(data) < BEFORE_RECORD + AFTER_RECORD:
        return record_edges(content)
    names = _find_bytes(data, _Y_NAME)
    values = names + len(_Y_NAME) + _Y_AFTER_NAME
    ends = values + data[np.minimum(values, len(data)) - 1]
    starts = np.concatenate([[0], ends + AFTER_RECORD])[: len(ends)] + BEFORE_RECORD
    lengths: np.ndarray = np.ndarray(len(data) - 7, "<u8", data, strides=1)
    stated = lengths[np.minimum(starts, len(lengths)) - BEFORE_RECORD]
    # If every record has the length in its framing, and the last one ends the block, there are no others.
    if (
        len(ends)
        and ends[-1] + AFTER_RECORD == len(data)
        and np.array_equal(stated, (ends - starts).astype(np.uint64))
    ):
        require_records(content, len(starts))
        return starts, ends
    return record_edges(content)


class JoinedPairs(NamedTuple):
    """Pairs as slices of joined ids.

    Attributes:
        ids: uint16 or uint32 [T].
        targets: int32 [N], index of each y among the ids.
        widths: int32 [N], number of ids before it that are its X, without the padding.
    """

    ids: np.ndarray
    targets: np.ndarray
    widths: np.ndarray


class PackedIds:
    """Places of the packed ids of the Examples of a block."""

    def __init__(self, content: BlockContent, *, window: int, vocabulary_size: int, compiled: bool = False):
        """Finds the Examples and checks their sizes.

        Args:
            content: the block.
            window: W, number of ids in x.
            vocabulary_size: number of ids in the vocabulary.
            compiled: whether to use compiled loops, which take half a second to load.

        Raises:
            UserError: a record cannot be an Example of W ids and a target.
        """
        self._content, self._window, self._vocabulary_size = content, window, vocabulary_size
        self._data = np.frombuffer(content.data, np.uint8)
        self.starts, self.ends = record_edges(content, compiled=True) if compiled else find(content)
        ends, lengths = self.ends, self.ends - self.starts
        least, most, _ = example_limits(window=window, vocabulary_size=vocabulary_size)
        if lengths.min(initial=least) < least or lengths.max(initial=most) > most:
            wrong = lengths[(lengths < least) | (lengths > most)][0]
            raise content.error(
                f"a record has {wrong:,} bytes; a pair of {window:,} ids and a target has {least:,} to {most:,}"
            )
        last = _last_varints_compiled if compiled else _last_varints
        self.y, self.y_sizes = last(self._data, ends, max_bytes=varint_size(vocabulary_size - 1))
        sizes, self._kinds = ragged.distinct(lengths * 8 + self.y_sizes)
        found = [_packed_size(size // 8, size % 8) for size in sizes.tolist()]
        if min(found, default=window) < window:
            raise content.error(f"a record is no tf.train.Example of {window:,} ids and a target")
        self.x_sizes = np.array(found, np.int64)[self._kinds]
        self.x_ends = ends - self.y_sizes - _Y_AFTER_NAME - len(_Y_NAME) - _Y_BEFORE_NAME

    def join(self, *, stride: int) -> JoinedPairs:
        """Joins the ids of the Examples by compiled loops, so that an X that continues the one before is not decoded.

        Args:
            stride: number of ids from one target to the next.

        Raises:
            UserError: as for `decode`.
        """
        from textgen.dataset.storage.layouts.example_loops import find_continued, join_pairs

        self._require_known(self.y)
        count = len(self.ends)
        widths, continued, targets = np.empty(count, np.int32), np.empty(count, np.bool_), np.empty(count, np.int32)
        x, y_starts = (self.x_ends - self.x_sizes, self.x_ends), self.ends - self.y_sizes
        find_continued(self._data, *x, y_starts, self.ends, self._window, stride, widths, continued)
        self._require_width(widths.min(initial=0) >= 0)
        ids = np.empty(count + int(np.where(continued, stride - 1, widths).sum()), id_dtype(self._vocabulary_size))
        # Two bytes at least, as in the table of `_decode_varints`.
        max_bytes = max(2, varint_size(self._vocabulary_size - 1))
        largest, all_whole = join_pairs(self._data, *x, self.y, widths, continued, stride, max_bytes, ids, targets)
        self._require_known(np.array(largest))
        self._require_width(all_whole)
        return JoinedPairs(ids, targets, widths)

    def decode(self, x: np.ndarray, y: np.ndarray, *, at_once: int = RECORDS_AT_ONCE) -> None:
        """Fills x and y with the ids; whether each is in its own record, only `require_exact` tells.

        Args:
            x: [N, W], of the dtype of ids on disk.
            y: [N], of the same dtype.
            at_once: number of Examples to decode at a time.

        Raises:
            UserError: the Examples have another number of ids, or ids that are not in the vocabulary.
        """
        self._require_known(self.y)
        y[...] = self.y
        for first in range(0, len(self.starts), at_once):
            some = slice(first, first + at_once)
            x_ends, x_sizes = self.x_ends[some], self.x_sizes[some]
            base, stop = self.starts[first], x_ends[-1]
            # False before each window, True inside it.
            edges = np.stack([x_ends - x_sizes, x_ends], axis=1).ravel() - base
            inside = np.repeat(np.arange(len(edges)) % 2 == 1, np.diff(edges, prepend=0))
            values = _decode_varints(self._data[base:stop], inside, self._vocabulary_size)
            self._require_known(values)
            self._require_width(len(values) == x[some].size)
            x[some] = values.reshape(-1, self._window)

    def require_exact(self, x: np.ndarray) -> None:
        """Checks that every byte of the records is as it is written, given x, [N, W], the decoded ids.

        Raises:
            UserError: the framing, the fields around the ids, or the padding are not.
        """
        require_framing(self._content, self.starts, self.ends)
        sizes = x.shape[1] + sum(np.count_nonzero(x >= limit, axis=1) for limit in self._limits())
        if (sizes != self.x_sizes).any() or (self.y < np.array((0, *VARINT_LIMITS))[self.y_sizes - 1]).any():
            raise self._content.error(
                f"its pairs do not have {self._window:,} ids each, or an id takes more bytes than it needs"
            )
        if ((x[:, 1:] != PAD) & (x[:, :-1] == PAD)).any() or (x[:, 0] == PAD).any() or (self.y == PAD).any():
            raise self._content.error(f"{PAD} is a token id; it is the padding at the end of a window only")
        # Records whose packed ids have the same sizes have the same bytes around them.
        ends_of_kinds = np.cumsum(np.bincount(self._kinds))
        for records in np.split(np.argsort(self._kinds, kind="stable"), ends_of_kinds[:-1]):
            head, middle = example_frame(int(self.x_sizes[records[0]]), int(self.y_sizes[records[0]]))
            if not self._have(head, self.starts[records]) or not self._have(middle, self.x_ends[records]):
                raise self._content.error("a record is no tf.train.Example with the features x and y")

    def _require_known(self, ids: np.ndarray) -> None:
        largest = int(ids.max(initial=0))
        if largest >= self._vocabulary_size:
            raise self._content.error(unknown_id(largest, self._vocabulary_size))

    def _require_width(self, right: bool) -> None:
        if not right:
            raise self._content.error(f"its pairs do not have {self._window:,} ids each")

    def _have(self, wanted: bytes, offsets: np.ndarray) -> bool:
        """Returns whether the block has the bytes `wanted` at all offsets, int [N]."""
        found = self._data[offsets[:, None] + np.arange(len(wanted))]
        return bool((found == np.frombuffer(wanted, np.uint8)).all())

    def _limits(self) -> tuple[int, ...]:
        return VARINT_LIMITS[: varint_size(self._vocabulary_size - 1) - 1]


def _find_bytes(data: np.ndarray, wanted: bytes) -> np.ndarray:
    """Returns int64 [N], the offsets of all occurrences of `wanted` in data, uint8 [bytes]."""
    rarest = 2
    found = np.flatnonzero(data[rarest:][: max(0, len(data) - len(wanted) + 1)] == wanted[rarest])
    for i, byte in enumerate(wanted):
        found = found[data[found + i] == byte]
    return found


def _last_varints(data: np.ndarray, ends: np.ndarray, *, max_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns int64 [N] and int64 [N], the varints that end at N offsets, and the size of each in bytes.

    No size is above `max_bytes`; a longer varint gives its last bytes.
    """
    values, sizes = data[ends - 1].astype(np.int64), np.ones(len(ends), np.int64)
    long = np.arange(len(ends))
    for _ in range(max_bytes - 1):
        long = long[data[ends[long] - 1 - sizes[long]] >= 128]
        values[long] = values[long] << 7 | data[ends[long] - 1 - sizes[long]] & 127
        sizes[long] += 1
    return values, sizes


def _last_varints_compiled(data: np.ndarray, ends: np.ndarray, *, max_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns what `_last_varints` does."""
    from textgen.dataset.storage.layouts.example_loops import last_varints

    values, sizes = np.empty(len(ends), np.int64), np.empty(len(ends), np.int64)
    last_varints(data, ends, max_bytes, values, sizes)
    return values, sizes


def _decode_varints(data: np.ndarray, inside: np.ndarray, vocabulary_size: int) -> np.ndarray:
    """Returns uint16 or uint32 [N], the varints of data, uint8 [bytes], where `inside`, bool [bytes], is True.

    `inside` must be False for the first bytes. A varint longer than that of the largest id gives its last bytes.
    """
    last = inside & (data < 128)
    pairs: np.ndarray = np.ndarray(len(data) - 1, "<u2", data, strides=1)[last[1:]]
    values = _two_bytes().take(pairs)
    if vocabulary_size <= 1 << 14:
        return values
    values, long = values.astype(np.uint32), np.flatnonzero(pairs & 255 >= 128)
    offsets = np.flatnonzero(last)[long]
    for back in range(2, varint_size(vocabulary_size - 1)):
        more = data[offsets - back]
        goes_on = more >= 128
        long, offsets = long[goes_on], offsets[goes_on]
        values[long] = values[long] << 7 | more[goes_on] & 127
    return values


@functools.cache
def _two_bytes() -> np.ndarray:
    """Returns uint16 [65536], the varints of at most two bytes, indexed by last byte * 256 + byte before it."""
    before, last = np.arange(1 << 16) & 255, np.arange(1 << 16) >> 8
    return np.where(before >= 128, last << 7 | before & 127, last).astype(np.uint16)


@functools.cache
def _packed_size(example: int, y_size: int) -> int:
    """Returns the size of the packed x in bytes, given the sizes of the Example and of the packed y; -1 if none."""
    frames = [sum(map(len, example_frame(x_size, y_size))) for x_size in (0, example)]
    # The frame of a longer x is longer by some bytes at most, those of its lengths.
    for frame in range(frames[0], frames[1] + 1):
        x_size = example - y_size - frame
        if x_size >= 0 and sum(map(len, example_frame(x_size, y_size))) == frame:
            return x_size
    return -1
