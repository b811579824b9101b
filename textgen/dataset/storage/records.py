"""The bytes of a record in each layout, made for many records at a time.

`pairs`: a `tf.train.Example` of x int64[W] and y int64[1], that any TFRecord reader parses. The wire format is
https://protobuf.dev/programming-guides/encoding/. A window's packed values are a slice of the packed values of its
sequence, so ids are encoded once and every window is a slice.

`spans`: ids as little-endian uint16, or uint32 for a vocabulary of more than 65,536 ids. The first number says
how many of the ids after it are context only.
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from textgen.dataset.storage import ragged, windows
from textgen.dataset.storage.windows import Sequences, Targets

SPAN_TARGETS = 16_384
SPAN_CONTEXT = 256
"""The targets a span has at the most, and the ids of context before its first target at the least."""

_PAIRS_AT_ONCE = 4_096
"""So that the working arrays stay in the processor's cache."""

_PACKED_VALUES = b"\x0a"
_INT64_LIST = b"\x1a"
_MAP_ENTRY = b"\x0a"
_MAP_VALUE = b"\x12"
_FEATURES = b"\x0a"


class Records(NamedTuple):
    """Records on end.

    Attributes:
        data: uint8 [T], their bytes.
        ends: int[N], where each ends.
        pairs: int[N], how many pairs each holds.
    """

    data: np.ndarray
    ends: np.ndarray
    pairs: np.ndarray


def pair_records(sequences: Sequences, *, window: int, stride: int) -> Iterator[Records]:
    """One serialized `tf.train.Example` a pair, in order, some thousands at a time."""
    packed, edges = _varints(sequences.ids)
    found = windows.targets(sequences, window=window, stride=stride)
    for start in range(0, len(found.places), _PAIRS_AT_ONCE):
        some = slice(start, start + _PAIRS_AT_ONCE)
        yield _examples(packed, edges, Targets(found.places[some], found.begins[some]), window)


def span_records(sequences: Sequences, *, window: int, stride: int, dtype: np.dtype) -> Records:
    """The span records of the sequences, in order."""
    most_targets = SPAN_TARGETS // stride * stride or stride
    cut = windows.spans(sequences, context=max(window, SPAN_CONTEXT), most_targets=most_targets)
    # A header each, from behind the ids.
    source = np.concatenate([cut.ids, cut.firsts - cut.starts]).astype(dtype)
    headers = len(cut.ids) + np.arange(len(cut.starts))
    starts = np.stack([headers, cut.starts], axis=1)
    lengths = np.stack([np.ones_like(headers), cut.ends - cut.starts], axis=1)
    numbers, ends = ragged.join(source, starts, lengths)
    pairs = windows.target_counts(cut.firsts, cut.ends, stride=stride)
    return Records(numbers.view(np.uint8), ends[1::2] * dtype.itemsize, pairs)


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


def span_sequences(numbers: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Sequences:
    """The sequences of span records that stand in `numbers` from `starts` to `ends`."""
    return Sequences(numbers, starts + 1, starts + 1 + numbers[starts], ends)


def _examples(packed: np.ndarray, edges: np.ndarray, targets: Targets, window: int) -> Records:
    """The Examples of the targets; each is five slices: its head, x, the padding of x, the middle, and y."""
    places, begins = targets
    padding = window - (places - begins)
    x_bytes = edges[places] - edges[begins]
    y_bytes = edges[places + 1] - edges[places]
    # A varint of an id takes less than eight bytes.
    sizes, which = ragged.distinct((x_bytes + padding) * 8 + y_bytes)
    heads, middles = zip(*(_frame(size // 8, size % 8) for size in sizes.tolist()), strict=True)
    frame_lengths = np.array([*map(len, heads), *map(len, middles)])
    source = np.concatenate([packed, np.zeros(window, np.uint8), np.frombuffer(b"".join(heads + middles), np.uint8)])
    frame_starts = len(packed) + window + np.cumsum(frame_lengths) - frame_lengths
    middle = which + len(heads)
    starts = [
        frame_starts[which],
        edges[begins],
        np.full(len(places), len(packed)),
        frame_starts[middle],
        edges[places],
    ]
    lengths = [frame_lengths[which], x_bytes, padding, frame_lengths[middle], y_bytes]
    data, ends = ragged.join(source, np.stack(starts, axis=1), np.stack(lengths, axis=1))
    return Records(data, ends[4::5], np.ones(len(places), int))


def _varints(ids: windows.Ids) -> tuple[np.ndarray, np.ndarray]:
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
    return packed, edges


@functools.cache
def packed_size(example: int, y_size: int) -> int:
    """How many bytes the packed x takes, given those of the whole Example and of the packed y."""
    return next(x for x in range(example) if sum(map(len, _frame(x, y_size))) + x + y_size == example)


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
    return _varints(np.array([size]))[0].tobytes()
