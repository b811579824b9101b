"""Encodes and parses `tf.train.Example` with x int64 [W] and y int64 [1] in wire format, many records at a time.

The format is https://protobuf.dev/programming-guides/encoding/. The packed values of a window are a slice of the
packed values of its sequence, so ids are encoded once and every window is copied.

Parsing needs no Python loop over the records. Each is found by the name of its last feature, and its length is
checked against the TFRecord framing. A packed window is W varints: each ends with a byte below 128, and that byte
and the one before it are an index into a table of values.
"""

import functools
from collections.abc import Iterator

import numpy as np

from textgen.dataset.storage import ragged, windows
from textgen.dataset.storage.records import Records
from textgen.dataset.storage.shards import AFTER_RECORD, BEFORE_RECORD, record_edges
from textgen.dataset.storage.windows import Sequences, Targets

_RECORDS_AT_ONCE = 4_096
"""Number of records for which the temporary arrays fit in the cache of the processor."""

_PACKED_VALUES = b"\x0a"
_INT64_LIST = b"\x1a"
_MAP_ENTRY = b"\x0a"
_MAP_VALUE = b"\x12"
_FEATURES = b"\x0a"

_Y_NAME = b"\n\x01y\x12"
"""Bytes that occur in each Example once, or more often if ids happen to have these bytes."""

_Y_BEFORE_NAME, _Y_AFTER_NAME = 2, 5
"""Number of bytes of y's entry before its name, and after it up to the packed value; the last one is its size."""


def encode(sequences: Sequences, *, window: int, stride: int, at_once: int = _RECORDS_AT_ONCE) -> Iterator[Records]:
    """Yields one serialized Example per pair, in order, as bytes of uint8 [T].

    Args:
        sequences: sequences of ids.
        window: W, number of ids in x.
        stride: distance from one target to the next, in ids.
        at_once: maximum number of Examples per item yielded.
    """
    packed, edges = _encode_varints(sequences.ids)
    found = windows.targets(sequences, window=window, stride=stride)
    for start in range(0, len(found.indices), at_once):
        some = slice(start, start + at_once)
        yield _examples(packed, edges, Targets(found.indices[some], found.starts[some]), window)


def find(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Returns int64 [N] and int64 [N], the offsets of the start and the end of each Example of a block."""
    data = np.frombuffer(content, np.uint8)
    names = _find_bytes(data, _Y_NAME)
    values = names + len(_Y_NAME) + _Y_AFTER_NAME
    ends = values + data[np.minimum(values, len(data)) - 1]
    starts = np.concatenate([[0], ends + AFTER_RECORD])[: len(ends)] + BEFORE_RECORD
    lengths = np.ndarray(max(0, len(data) - 7), "<u8", data, strides=1)
    stated = lengths[np.minimum(starts, len(lengths)) - BEFORE_RECORD]
    # If every record has the length in its framing, and the last one ends the block, there are no others.
    if (
        len(ends)
        and ends[-1] + AFTER_RECORD == len(data)
        and np.array_equal(stated, (ends - starts).astype(np.uint64))
    ):
        return starts, ends
    return record_edges(content)


def parse(
    content: bytes,
    starts: np.ndarray,
    ends: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    *,
    vocabulary_size: int,
    at_once: int = _RECORDS_AT_ONCE,
) -> None:
    """Fills x and y with the pairs of Examples.

    Args:
        content: a block.
        starts: int [N], offset of each Example in the block.
        ends: int [N], offset after each Example.
        x: [N, W], of the dtype of ids on disk.
        y: [N], of the same dtype.
        vocabulary_size: number of ids in the vocabulary.
        at_once: number of Examples to parse at a time.

    Raises:
        ValueError: an Example does not have W ids in x.
    """
    data = np.frombuffer(content, np.uint8)
    y[...], y_sizes = _last_varints(data, ends)
    sizes, which = ragged.distinct((ends - starts) * 8 + y_sizes)
    x_sizes = np.array([_packed_size(size // 8, size % 8) for size in sizes.tolist()])[which]
    x_ends = ends - y_sizes - _Y_AFTER_NAME - len(_Y_NAME) - _Y_BEFORE_NAME
    for first in range(0, len(starts), at_once):
        some = slice(first, first + at_once)
        base, stop = starts[first], x_ends[some][-1]
        # False before each window, True inside it.
        edges = np.stack([x_ends[some] - x_sizes[some], x_ends[some]], axis=1).ravel() - base
        inside = np.repeat(np.arange(len(edges)) % 2 == 1, np.diff(edges, prepend=0))
        x[some] = _decode_varints(data[base:stop], inside, vocabulary_size).reshape(-1, x.shape[1])


def _find_bytes(data: np.ndarray, wanted: bytes) -> np.ndarray:
    """Returns int64 [N], the offsets of all occurrences of `wanted` in data, uint8 [bytes]."""
    rarest = 2
    found = np.flatnonzero(data[rarest:][: max(0, len(data) - len(wanted) + 1)] == wanted[rarest])
    for i, byte in enumerate(wanted):
        found = found[data[found + i] == byte]
    return found


def _last_varints(data: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns int64 [N] and int64 [N], the varints that end at N offsets, and the size of each in bytes."""
    values, sizes = data[ends - 1].astype(np.int64), np.ones(len(ends), np.int64)
    long = np.arange(len(ends))
    while len(long := long[data[ends[long] - 1 - sizes[long]] >= 128]):
        values[long] = values[long] << 7 | data[ends[long] - 1 - sizes[long]] & 127
        sizes[long] += 1
    return values, sizes


def _decode_varints(data: np.ndarray, inside: np.ndarray, vocabulary_size: int) -> np.ndarray:
    """Returns uint16 or uint32 [N], the varints of data, uint8 [bytes], where `inside`, bool [bytes], is True.

    `inside` must be False for the first byte.
    """
    last = inside & (data < 128)
    pairs = np.ndarray(len(data) - 1, "<u2", data, strides=1)[last[1:]]
    values = _two_bytes().take(pairs)
    if vocabulary_size <= 1 << 14:
        return values
    values, long, back = values.astype(np.uint32), np.flatnonzero(pairs & 255 >= 128), 2
    offsets = np.flatnonzero(last)[long]
    while len(offsets):
        more = data[offsets - back]
        goes_on = more >= 128
        long, offsets = long[goes_on], offsets[goes_on]
        values[long] = values[long] << 7 | more[goes_on] & 127
        back += 1
    return values


@functools.cache
def _two_bytes() -> np.ndarray:
    """Returns uint16 [65536], the varints of at most two bytes, indexed by last byte * 256 + byte before it."""
    before, last = np.arange(1 << 16) & 255, np.arange(1 << 16) >> 8
    return np.where(before >= 128, last << 7 | before & 127, last).astype(np.uint16)


def _examples(packed: np.ndarray, edges: np.ndarray, targets: Targets, window: int) -> Records:
    """Returns the Examples of targets; each is five slices: its head, x, the padding of x, the middle, and y."""
    indices, x_starts = targets
    padding = window - (indices - x_starts)
    x_bytes = edges[indices] - edges[x_starts]
    y_bytes = edges[indices + 1] - edges[indices]
    # The varint of an id takes less than eight bytes.
    sizes, which = ragged.distinct((x_bytes + padding) * 8 + y_bytes)
    heads, middles = zip(*(_frame(size // 8, size % 8) for size in sizes.tolist()), strict=True)
    frame_lengths = np.array([*map(len, heads), *map(len, middles)])
    source = np.concatenate([packed, np.zeros(window, np.uint8), np.frombuffer(b"".join(heads + middles), np.uint8)])
    frame_starts = len(packed) + window + np.cumsum(frame_lengths) - frame_lengths
    middle = which + len(heads)
    starts = [
        frame_starts[which],
        edges[x_starts],
        np.full(len(indices), len(packed)),
        frame_starts[middle],
        edges[indices],
    ]
    lengths = [frame_lengths[which], x_bytes, padding, frame_lengths[middle], y_bytes]
    data, ends = ragged.join(source, np.stack(starts, axis=1), np.stack(lengths, axis=1))
    return Records(data, ends[4::5], np.ones(len(indices), int))


def _encode_varints(ids: windows.Ids) -> tuple[np.ndarray, np.ndarray]:
    """Returns uint8 [bytes], T ids as joined base-128 varints, and int [T + 1], their offsets and the end."""
    values = ids.astype(np.uint64)
    sizes = 1 + np.sum([values >= 1 << shift for shift in (7, 14, 21, 28)], axis=0)
    edges = np.concatenate([[0], np.cumsum(sizes)])
    packed = np.empty(edges[-1], np.uint8)
    for i in range(int(sizes.max(initial=0))):
        longer = sizes > i
        more = np.where(sizes[longer] > i + 1, 0x80, 0)
        packed[edges[:-1][longer] + i] = (values[longer] >> np.uint64(7 * i)) & np.uint64(0x7F) | more.astype(
            np.uint64
        )
    return packed, edges


@functools.cache
def _packed_size(example: int, y_size: int) -> int:
    """Returns the size of the packed x in bytes, given the sizes of the Example and of the packed y."""
    return next(x for x in range(example) if sum(map(len, _frame(x, y_size))) + x + y_size == example)


@functools.cache
def _frame(x_size: int, y_size: int) -> tuple[bytes, bytes]:
    """Returns the bytes before the packed x and before the packed y of an Example, given their sizes in bytes."""
    x_entry, x_total = _entry(b"x", x_size)
    y_entry, y_total = _entry(b"y", y_size)
    return _FEATURES + _length(x_total + y_total) + x_entry, y_entry


def _entry(key: bytes, size: int) -> tuple[bytes, int]:
    """Returns the bytes before the packed values of a feature, and the size of the whole map entry in bytes."""
    values = _PACKED_VALUES + _length(size)
    feature = _INT64_LIST + _length(len(values) + size) + values
    entry = b"\x0a" + _length(len(key)) + key + _MAP_VALUE + _length(len(feature) + size) + feature
    head = _MAP_ENTRY + _length(len(entry) + size) + entry
    return head, len(head) + size


def _length(size: int) -> bytes:
    return _encode_varints(np.array([size]))[0].tobytes()
