"""Compiled loops over the Examples of a block, for readers of many blocks.

Most Examples continue the one before: their X is that X and its y, less the first ids. So the ids of consecutive
pairs are joined to sequences, of which each X is a slice, as in the `spans` layout; no window is decoded twice.
"""

import numpy as np

from textgen.numba_loops import compiled, inlined, word_at

_LOW_BITS, _BITS, _MORE = np.uint32(127), np.uint32(7), np.uint32(128)


@compiled
def last_varints(data: np.ndarray, ends: np.ndarray, max_bytes: int, values: np.ndarray, sizes: np.ndarray) -> None:
    """Decodes the varints that end at N offsets; one of more than `max_bytes` bytes gives its last ones.

    Args:
        data: uint8 [bytes].
        ends: int64 [N], at least `max_bytes`.
        max_bytes: largest size of a varint in bytes.
        values: int64 [N], receives the values.
        sizes: int64 [N], receives the size of each in bytes.
    """
    for n in range(len(ends)):
        end = ends[n]
        value, size = np.int64(data[end - 1]), 1
        while size < max_bytes and data[end - 1 - size] >= 128:
            value = value << 7 | np.int64(data[end - 1 - size]) & 127
            size += 1
        values[n], sizes[n] = value, size


@inlined
def _without_padding(data: np.ndarray, start: int, end: int) -> int:
    """Returns the end of the packed ids before the padding, which are varints of one byte, 0."""
    while end > start and not data[end - 1] and (end - 1 == start or data[end - 2] < 128):
        end -= 1
    return end


@inlined
def _are_equal(data: np.ndarray, one: int, two: int, size: int) -> bool:
    """Returns whether two slices of data have the same bytes."""
    first, second, i, different = np.uint64(one), np.uint64(two), np.uint64(0), np.uint64(0)
    if size < 8:
        while i < np.uint64(size):
            different |= np.uint64(data[first + i] ^ data[second + i])
            i += np.uint64(1)
        return different == 0
    # The last word may overlap the one before.
    last = np.uint64(size - 8)
    while i < last:
        different |= word_at(data, first + i) ^ word_at(data, second + i)
        i += np.uint64(8)
    return different | word_at(data, first + last) ^ word_at(data, second + last) == 0


@inlined
def _count_varints(data: np.ndarray, start: int, end: int) -> int:
    """Returns the number of varints that fill data[start:end]; -1 if the last one does not end there."""
    count = 0
    for i in range(start, end):
        count += data[i] < 128
    return count if start == end or data[end - 1] < 128 else -1


@inlined
def _skip_varints(data: np.ndarray, start: int, end: int, count: int) -> int:
    """Returns the offset after `count` varints; above `end` if there are fewer."""
    for _ in range(count):
        while start < end and data[start] >= 128:
            start += 1
        start += 1
    return start


@compiled
def find_continued(
    data: np.ndarray,
    x_starts: np.ndarray,
    x_ends: np.ndarray,
    y_starts: np.ndarray,
    y_ends: np.ndarray,
    window: int,
    stride: int,
    widths: np.ndarray,
    continued: np.ndarray,
) -> None:
    """Finds the Examples that continue the one before them, as consecutive targets of a document do.

    Args:
        data: uint8 [bytes].
        x_starts: int64 [N], offset of the first byte of each packed X.
        x_ends: int64 [N], offset after its last byte.
        y_starts: int64 [N], offset of the first byte of each y.
        y_ends: int64 [N], offset after its last byte.
        window: W, number of ids of an X with its padding.
        stride: number of ids from one target to the next.
        widths: int32 [N], receives the number of ids of each X without its padding, if it has W ids with it.
        continued: bool [N], receives whether the last ids of an X are `stride` ids, the first of them the y before,
            and the ids before them are the last ones of the X before. Then it has W ids if the X before has.
    """
    ids_start = ids_end = y_start = y_end = width = 0
    for n in range(len(x_starts)):
        start, end = x_starts[n], _without_padding(data, x_starts[n], x_ends[n])
        new_width = window - (x_ends[n] - end)
        dropped = max(0, width + stride - window)
        continues = False
        if n and stride <= window and new_width == width + stride - dropped and data[y_end - 1] < 128:
            kept = _skip_varints(data, ids_start, ids_end, dropped)
            old, target = ids_end - kept, y_end - y_start
            rest = start + old + target
            continues = (
                old >= 0
                and rest <= end
                and _are_equal(data, kept, start, old)
                and _are_equal(data, y_start, start + old, target)
                and _count_varints(data, rest, end) == stride - 1
            )
        widths[n], continued[n] = new_width, continues
        ids_start, ids_end, y_start, y_end, width = start, end, y_starts[n], y_ends[n], new_width


@inlined
def _decode_last(
    data: np.ndarray, start: int, end: int, count: int, max_bytes: int, ids: np.ndarray, place: int
) -> tuple[int, np.int64]:
    """Decodes the last varints of data[start:end] into ids[place : place + count], the last one first.

    Returns:
        The offset of the first byte that was read, -1 if there are fewer varints, and the largest value.
    """
    largest = np.uint32(0)
    if count and (start == end or data[end - 1] >= 128):
        return -1, np.int64(0)
    while count and end > start:
        end -= 1
        value, size = np.uint32(data[end]), 1
        while end > start and data[end - 1] >= 128:
            end -= 1
            if size < max_bytes:
                value = np.uint32(value << _BITS | np.uint32(data[end]) & _LOW_BITS)
                size += 1
        count -= 1
        ids[place + count] = value
        largest = max(largest, value)
    return -1 if count else end, np.int64(largest)


@compiled
def join_pairs(
    data: np.ndarray,
    x_starts: np.ndarray,
    x_ends: np.ndarray,
    y: np.ndarray,
    widths: np.ndarray,
    continued: np.ndarray,
    stride: int,
    max_bytes: int,
    ids: np.ndarray,
    targets: np.ndarray,
) -> tuple[np.int64, bool]:
    """Joins the ids of each Example that the one before does not have.

    Args:
        data: uint8 [bytes].
        x_starts: int64 [N], offset of the first byte of each packed X.
        x_ends: int64 [N], offset after its last byte.
        y: int [N], the targets.
        widths: int32 [N], number of ids of each X without its padding.
        continued: bool [N], whether each Example continues the one before, see `find_continued`.
        stride: number of ids from one target to the next.
        max_bytes: largest size of a varint in bytes; of a longer one the last bytes count.
        ids: uint16 or uint32 [T], receives the new ids, those of each X before its y.
        targets: int32 [N], receives the index of each y among the ids.

    Returns:
        The largest id of an X, and whether the X that continue no other have as many ids as `widths` says.
    """
    place, largest, all_whole = 0, np.int64(0), True
    for n in range(len(y)):
        count = stride - 1 if continued[n] else widths[n]
        if count:
            end = _without_padding(data, x_starts[n], x_ends[n])
            first, value = _decode_last(data, x_starts[n], end, count, max_bytes, ids, place)
            all_whole &= first >= 0 and (continued[n] or first == x_starts[n])
            largest = max(largest, value)
            place += count
        else:
            all_whole &= continued[n] or _without_padding(data, x_starts[n], x_ends[n]) == x_starts[n]
        ids[place] = y[n]
        targets[n] = place
        place += 1
    return largest, all_whole
