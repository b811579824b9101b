"""The bytes of a record in each layout.

`pairs`: a `tf.train.Example` of x int64[W] and y int64[1], that any TFRecord reader parses. The wire format is
https://protobuf.dev/programming-guides/encoding/. A window's packed values are a slice of the document's, so a
document is encoded once and its windows are cut from the bytes.

`spans`: ids as little-endian uint16, or uint32 for a vocabulary of more than 65,536 ids. The first number says
how many of the ids after it are context only.
"""

import functools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from textgen.dataset import windows

SPAN_TARGETS = 16_384
SPAN_CONTEXT = 256
"""The targets a span has at the most, and the ids of context before its first target at the least."""

_PACKED_VALUES = b"\x0a"
_INT64_LIST = b"\x1a"
_MAP_ENTRY = b"\x0a"
_MAP_VALUE = b"\x12"
_FEATURES = b"\x0a"


def pair_records(ids: windows.Ids, *, window: int, stride: int) -> Iterator[bytes]:
    """One serialized `tf.train.Example` a pair of the sequence, in order."""
    packed, edges = _varints(ids)
    ends = windows.targets(len(ids), stride=stride)
    begins = windows.starts(ends, window=window)
    padding = [b"\0" * (window - width) for width in range(window + 1)]
    for begin, end, x_start, x_end, y_end in zip(
        begins.tolist(), ends.tolist(), edges[begins].tolist(), edges[ends].tolist(), edges[ends + 1].tolist(),
        strict=True,
    ):  # fmt: skip
        x = packed[x_start:x_end] + padding[end - begin]
        before_x, before_y = _frame(len(x), y_end - x_end)
        yield before_x + x + before_y + packed[x_end:y_end]


def span_records(ids: windows.Ids, *, window: int, stride: int, dtype: np.dtype) -> Iterator[tuple[bytes, int]]:
    """The span records of a sequence, each with the number of its pairs."""
    most_targets = SPAN_TARGETS // stride * stride or stride
    for span in windows.spans(len(ids), context=max(window, SPAN_CONTEXT), most_targets=most_targets):
        numbers = np.concatenate([[span.first - span.start], ids[span.start : span.end]])
        yield numbers.astype(dtype).tobytes(), -(-(span.end - span.first) // stride)


def span_dtype(vocabulary_size: int) -> np.dtype:
    """The smallest dtype that holds every id."""
    return np.dtype("<u2" if vocabulary_size <= 1 << 16 else "<u4")


def parse_pairs(serialized: tf.Tensor, *, window: int) -> tuple[tf.Tensor, tf.Tensor]:
    """string[N] → (int32 [N, W], int32 [N])."""
    features = tf.io.parse_example(
        serialized,
        {"x": tf.io.FixedLenFeature([window], tf.int64), "y": tf.io.FixedLenFeature([1], tf.int64)},
    )
    return tf.cast(features["x"], tf.int32), tf.cast(features["y"][:, 0], tf.int32)


def parse_spans(
    records: list[memoryview], *, window: int, stride: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Span records → (int32 [N, W], int32 [N]), the pairs of all of them in order."""
    numbers = np.frombuffer(b"".join(records), dtype)
    lengths = np.array([len(record) // dtype.itemsize for record in records])
    headers = np.cumsum(lengths) - lengths
    places = [
        windows.targets(end, stride=stride, first=start + context)
        for start, context, end in zip(headers + 1, numbers[headers].astype(int), headers + lengths, strict=True)
    ]
    sequence_starts = np.repeat(headers + 1, [len(place) for place in places])
    x, y = windows.cut(numbers, sequence_starts, np.concatenate(places), window=window)
    return x.astype(np.int32), y.astype(np.int32)


def _varints(ids: windows.Ids) -> tuple[bytes, np.ndarray]:
    """The ids as base-128 varints on end, and the place of each id's first byte, with one place more for the end."""
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
    return packed.tobytes(), edges


@functools.cache
def _frame(x_size: int, y_size: int) -> tuple[bytes, bytes]:
    """What stands before the packed x and before the packed y in an Example, given their sizes in bytes."""
    x_entry, x_total = _entry(b"x", x_size)
    y_entry, y_total = _entry(b"y", y_size)
    return _FEATURES + _length(x_total + y_total) + x_entry, y_entry


def _entry(key: bytes, size: int) -> tuple[bytes, int]:
    """What stands before a feature's packed values, and the size of the whole map entry."""
    values = _PACKED_VALUES + _length(size)
    feature = _INT64_LIST + _length(len(values) + size) + values
    entry = b"\x0a" + _length(len(key)) + key + _MAP_VALUE + _length(len(feature) + size) + feature
    head = _MAP_ENTRY + _length(len(entry) + size) + entry
    return head, len(head) + size


def _length(size: int) -> bytes:
    return _varints(np.array([size]))[0]
