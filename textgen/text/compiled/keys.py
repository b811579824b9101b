"""Keys of byte strings, by which compiled loops find them in tables."""

import numpy as np

from textgen.numba_loops import compiled, inlined

PACKED_BYTES = 8
"""Longest string, in bytes, whose key is the string itself."""

MAY_BE_SHARED = np.uint64(1 << 63)
"""Bit that is set in a key that several strings may have."""

BASIS, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
"""Those of the hash FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/."""

BYTE = np.uint64(8)
"""Number of bits by which a packed string is shifted to append a byte."""


@inlined
def key_of(packed: np.uint64, hashed: np.uint64, size: int) -> np.uint64:
    """Returns the key of a string: the string itself if it is short, and its hash if not.

    A NUL at the start of a string does not change the number that it packs to, so another string may have its key.
    """
    if size > PACKED_BYTES:
        return hashed | MAY_BE_SHARED
    return packed if size == 0 or packed >> np.uint64(8 * size - 8) else packed | MAY_BE_SHARED


@inlined
def string_key(source: np.ndarray, start: int, end: int) -> np.uint64:
    """Returns the key of source[start:end]."""
    packed, hashed = np.uint64(0), BASIS
    for i in range(start, end):
        packed = (packed << BYTE) | np.uint64(source[i])
        hashed = (hashed ^ np.uint64(source[i])) * PRIME
    return key_of(packed, hashed, end - start)


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
