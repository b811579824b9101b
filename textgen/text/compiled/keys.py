"""Keys of byte strings, by which compiled loops find them in tables."""

import numpy as np

from textgen.numba_loops import WORD_BYTES, compiled, inlined, reversed_word_at, word_at

PACKED_BYTES = WORD_BYTES
"""Longest string, in bytes, whose key is the string itself."""

MAY_BE_SHARED = np.uint64(1 << 63)
"""Bit that is set in a key that several strings may have."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio."""

_HALF = np.uint64(32)


@inlined
def string_key(source: np.ndarray, start: int, end: int) -> np.uint64:
    """Returns the key of source[start:end]: the string itself if it is short, and its hash if not.

    A NUL at the start of a string does not change the number that it packs to, so another string may have its key.
    """
    size = end - start
    if size > PACKED_BYTES:
        return _hash(source, np.uint64(start), np.uint64(end)) | MAY_BE_SHARED
    if size == 0:
        return np.uint64(0)
    packed = np.uint64(0)
    if start + WORD_BYTES <= len(source):
        packed = reversed_word_at(source, np.uint64(start)) >> np.uint64(8 * (WORD_BYTES - size))
    else:
        for i in range(start, end):
            packed = (packed << np.uint64(8)) | np.uint64(source[i])
    return packed if packed >> np.uint64(8 * size - 8) else packed | MAY_BE_SHARED


@inlined
def _hash(source: np.ndarray, start: np.uint64, end: np.uint64) -> np.uint64:
    """Returns a hash of source[start:end], of more than 8 bytes; its last 8 are the last word whatever its size."""
    hashed, last = end - start, end - np.uint64(WORD_BYTES)
    while start < last:
        hashed = _mixed(hashed, word_at(source, start))
        start += np.uint64(WORD_BYTES)
    return _mixed(hashed, word_at(source, last))


@inlined
def _mixed(hashed: np.uint64, word: np.uint64) -> np.uint64:
    product = (hashed ^ word) * _MULTIPLIER
    return product ^ product >> _HALF


@compiled
def _fill_keys(source: np.ndarray, starts: np.ndarray, sizes: np.ndarray, keys: np.ndarray) -> None:
    for n in range(len(starts)):
        keys[n] = string_key(source, starts[n], starts[n] + sizes[n])


def string_keys(source: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns uint64 [N], the keys of strings.

    Args:
        source: uint8 [S].
        starts: int64 [N], start of each string in `source`.
        sizes: int32 [N], number of its bytes.
    """
    keys = np.empty(len(starts), np.uint64)
    _fill_keys(source, starts, sizes, keys)
    return keys
