"""Encodes `tf.train.Example` with x int64 [W] and y int64 [1] in wire format, many records at a time.

The format is https://protobuf.dev/programming-guides/encoding/. The packed values of a window are a slice of the
packed values of its sequence, so ids are encoded once and every window is copied.
"""

import functools
from collections.abc import Iterator

import numpy as np

from textgen.dataset.storage import ragged, windows
from textgen.dataset.storage.records import Records
from textgen.dataset.storage.windows import Sequences, Targets

RECORDS_AT_ONCE = 4_096
"""Number of records for which the temporary arrays fit in the cache of the processor."""

_PACKED_VALUES = b"\x0a"
_INT64_LIST = b"\x1a"
_MAP_ENTRY = b"\x0a"
_MAP_VALUE = b"\x12"
_FEATURES = b"\x0a"

VARINT_LIMITS = (1 << 7, 1 << 14, 1 << 21, 1 << 28)
"""Values from which on a varint takes a byte more."""


def encode(sequences: Sequences, *, window: int, stride: int, at_once: int = RECORDS_AT_ONCE) -> Iterator[Records]:
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


def varint_size(value: int) -> int:
    """Returns the number of bytes of a varint."""
    return 1 + sum(value >= limit for limit in VARINT_LIMITS)


def _examples(packed: np.ndarray, edges: np.ndarray, targets: Targets, window: int) -> Records:
    """Returns the Examples of targets; each is five slices: its head, x, the padding of x, the middle, and y."""
    indices, x_starts = targets
    padding = window - (indices - x_starts)
    x_bytes = edges[indices] - edges[x_starts]
    y_bytes = edges[indices + 1] - edges[indices]
    # The varint of an id takes less than eight bytes.
    sizes, which = ragged.distinct((x_bytes + padding) * 8 + y_bytes)
    heads, middles = zip(*(example_frame(size // 8, size % 8) for size in sizes.tolist()), strict=True)
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
    sizes = 1 + np.sum([values >= limit for limit in VARINT_LIMITS], axis=0)
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
def example_frame(x_size: int, y_size: int) -> tuple[bytes, bytes]:
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
