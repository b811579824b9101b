"""An open-addressing hash table of byte strings, in arrays, as compiled loops.

A token is found in one loop and looked up in another: a look-up waits for memory, and in a loop of its own many are
under way at once.
"""

import numpy as np

from textgen.numba_loops import compiled
from textgen.text.compiled.keys import MAY_BE_SHARED, PACKED_BYTES

_MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio; the high bits of the product choose the slot (Knuth, TAOCP 3, 6.4)."""

_NEXT = np.uint64(1)


@compiled
def number_strings(
    source: np.ndarray,
    keys: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    table: np.ndarray,
    arena: np.ndarray,
    edges: np.ndarray,
    shift: int,
    known: int,
    numbers: np.ndarray,
    begin: int,
) -> tuple[int, int]:
    """Numbers strings, and adds those that are new.

    Args:
        source: uint8 [S].
        keys: uint64 [N], the key of each string.
        starts: int64 [N], start of each string in `source`.
        sizes: int32 [N], number of its bytes.
        table: uint64 [2^k, 2], for each slot a key and the number of its string plus 1, or 0 for an empty slot.
        arena: uint8 [A], the known strings one after another.
        edges: int64 [E], start of each known string in `arena`, and the end of the last.
        shift: 64 - k.
        known: number of known strings.
        numbers: int32 [N], receives the number of each string.
        begin: index of the first string to number.

    Returns:
        The number of known strings, and the index of the first string that is not numbered, for lack of space; N if
        all are.
    """
    mask, by = np.uint64(len(table) - 1), np.uint64(shift)
    most = min(len(table) // 2, len(edges) - 1)
    for n in range(begin, len(keys)):
        key, size = keys[n], sizes[n]
        slot = (key * _MIXER) >> by
        while True:
            found = np.int64(table[slot, 1]) - 1
            if found < 0:
                if known == most or edges[known] + size > len(arena):
                    return known, n
                end = edges[known]
                for i in range(size):
                    arena[end + i] = source[starts[n] + i]
                table[slot, 0], table[slot, 1] = key, np.uint64(known + 1)
                known += 1
                edges[known] = end + size
                found = known - 1
                break
            if table[slot, 0] == key:
                same = True
                if key & MAY_BE_SHARED:
                    same = edges[found + 1] - edges[found] == size
                    if same and size > PACKED_BYTES:
                        for i in range(size):
                            if arena[edges[found] + i] != source[starts[n] + i]:
                                same = False
                                break
                if same:
                    break
            slot = (slot + _NEXT) & mask
        numbers[n] = found
    return known, len(keys)


@compiled
def place_strings(keys: np.ndarray, table: np.ndarray, shift: int) -> None:
    """Fills an empty table with known strings, which all differ.

    Args:
        keys: uint64 [N], the key of each string.
        table: uint64 [2^k, 2], of zeros; see `number_strings`.
        shift: 64 - k.
    """
    mask, by = np.uint64(len(table) - 1), np.uint64(shift)
    for n in range(len(keys)):
        slot = (keys[n] * _MIXER) >> by
        while table[slot, 1] != 0:
            slot = (slot + _NEXT) & mask
        table[slot, 0], table[slot, 1] = keys[n], np.uint64(n + 1)
