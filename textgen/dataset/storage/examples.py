"""Parses the Examples of a block, all of them at once, without a Python loop over them.

`records` says what their bytes are. Each is found by the name of its last feature, and the lengths that stand before
the records prove that these are the records. A packed window is W varints: each ends with a byte below 128, and with
the byte before it makes an index into a table of values.
"""

import functools

import numpy as np

from textgen.dataset.storage import ragged
from textgen.dataset.storage.records import packed_size
from textgen.dataset.storage.shards import AFTER_RECORD, BEFORE_RECORD, record_edges

_Y_NAME = b"\n\x01y\x12"
"""Stands in each Example once, or again where ids happen to have these bytes."""

_Y_BEFORE_NAME, _Y_AFTER_NAME = 2, 5
"""The bytes of y's entry before its name; and after it up to the packed value, the last of which is its size."""

_RECORDS_AT_ONCE = 4_096
"""So that the working arrays stay in the processor's cache."""


def edges(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where each Example of a block starts and ends: int64 [N], int64 [N]."""
    data = np.frombuffer(content, np.uint8)
    names = _places(data, _Y_NAME)
    values = names + len(_Y_NAME) + _Y_AFTER_NAME
    ends = values + data[np.minimum(values, len(data)) - 1]
    starts = np.concatenate([[0], ends + AFTER_RECORD])[: len(ends)] + BEFORE_RECORD
    lengths = np.ndarray(max(0, len(data) - 7), "<u8", data, strides=1)
    told = lengths[np.minimum(starts, len(lengths)) - BEFORE_RECORD]
    # If every record has the length that is told before it, and the last ends the block, there are no others.
    if len(ends) and ends[-1] + AFTER_RECORD == len(data) and np.array_equal(told, (ends - starts).astype(np.uint64)):
        return starts, ends
    return record_edges(content)


def parse(
    content: bytes, starts: np.ndarray, ends: np.ndarray, x: np.ndarray, y: np.ndarray, *, vocabulary_size: int
) -> None:
    """Fills x [N, W] and y [N], of the dtype of spans, with the pairs of the Examples at these places.

    Raises:
        ValueError: an Example has another number of ids.
    """
    data = np.frombuffer(content, np.uint8)
    y[...], y_sizes = _last_varints(data, ends)
    sizes, which = ragged.distinct((ends - starts) * 8 + y_sizes)
    x_sizes = np.array([packed_size(size // 8, size % 8) for size in sizes.tolist()])[which]
    x_ends = ends - y_sizes - _Y_AFTER_NAME - len(_Y_NAME) - _Y_BEFORE_NAME
    for first in range(0, len(starts), _RECORDS_AT_ONCE):
        some = slice(first, first + _RECORDS_AT_ONCE)
        base, stop = starts[first], x_ends[some][-1]
        # False up to each window, True along it.
        edges = np.stack([x_ends[some] - x_sizes[some], x_ends[some]], axis=1).ravel() - base
        inside = np.repeat(np.arange(len(edges)) % 2 == 1, np.diff(edges, prepend=0))
        x[some] = _varints(data[base:stop], inside, vocabulary_size).reshape(-1, x.shape[1])


def _places(data: np.ndarray, wanted: bytes) -> np.ndarray:
    """Where some bytes stand in the data: int64 [N]."""
    rarest = 2
    found = np.flatnonzero(data[rarest:][: max(0, len(data) - len(wanted) + 1)] == wanted[rarest])
    for i, byte in enumerate(wanted):
        found = found[data[found + i] == byte]
    return found


def _last_varints(data: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The varints that end before these places, and how many bytes each has: int64 [N], int64 [N]."""
    values, sizes = data[ends - 1].astype(np.int64), np.ones(len(ends), np.int64)
    long = np.arange(len(ends))
    while len(long := long[data[ends[long] - 1 - sizes[long]] >= 128]):
        values[long] = values[long] << 7 | data[ends[long] - 1 - sizes[long]] & 127
        sizes[long] += 1
    return values, sizes


def _varints(data: np.ndarray, inside: np.ndarray, vocabulary_size: int) -> np.ndarray:
    """The varints in the part of the data that is inside; the first byte of all is not."""
    last = inside & (data < 128)
    pairs = np.ndarray(len(data) - 1, "<u2", data, strides=1)[last[1:]]
    values = _two_bytes().take(pairs)
    if vocabulary_size <= 1 << 14:
        return values
    values, long, back = values.astype(np.uint32), np.flatnonzero(pairs & 255 >= 128), 2
    places = np.flatnonzero(last)[long]
    while len(places):
        more = data[places - back]
        goes_on = more >= 128
        long, places = long[goes_on], places[goes_on]
        values[long] = values[long] << 7 | more[goes_on] & 127
        back += 1
    return values


@functools.cache
def _two_bytes() -> np.ndarray:
    """The value of a varint whose last byte is the high byte of the index, if it has at most two: uint16 [65536]."""
    before, last = np.arange(1 << 16) & 255, np.arange(1 << 16) >> 8
    return np.where(before >= 128, last << 7 | before & 127, last).astype(np.uint16)
