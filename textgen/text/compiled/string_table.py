"""An open-addressing hash table of byte strings, in arrays, as compiled loops.

A token is found in one loop and looked up in another: a look-up waits for memory, and in a loop of its own many are
under way at once.
"""

from typing import NamedTuple

import numpy as np

from textgen.numba_loops import compiled, inlined
from textgen.text.compiled.keys import MAY_BE_SHARED

_MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio; the high bits of the product choose the slot (Knuth, TAOCP 3, 6.4)."""

_NEXT = np.uint64(1)


class KeyedStrings(NamedTuple):
    """N strings with their keys.

    Attributes:
        source: uint8 [S], the bytes in which the strings are.
        keys: uint64 [N], the key of each string.
        starts: int64 [N], start of each string in `source`.
        sizes: int32 [N], number of its bytes.
    """

    source: np.ndarray
    keys: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray


class StringTable(NamedTuple):
    """Known strings, numbered from 0, and a hash table that finds their numbers.

    Attributes:
        slots: uint64 [2^k, 2], for each slot a key and the number of its string plus 1, or 0 for an empty slot.
        arena: uint8 [A], the known strings one after another.
        edges: int64 [E], start of each known string in `arena`, and the end of the last.
        shift: 64 - k.
    """

    slots: np.ndarray
    arena: np.ndarray
    edges: np.ndarray
    shift: int


@inlined
def _is_string(strings: KeyedStrings, n: int, table: StringTable, number: int) -> bool:
    """Returns whether string `n`, whose key may be shared, is the known string of a number."""
    start, known_start = strings.starts[n], table.edges[number]
    size = strings.sizes[n]
    if table.edges[number + 1] - known_start != size:
        return False
    i = 0
    while i < size and table.arena[known_start + i] == strings.source[start + i]:
        i += 1
    return i == size


@inlined
def _append(strings: KeyedStrings, n: int, table: StringTable, known: int) -> None:
    """Copies string `n` to the end of the arena, as the known string of the number `known`."""
    start, end = strings.starts[n], table.edges[known]
    for i in range(strings.sizes[n]):
        table.arena[end + i] = strings.source[start + i]
    table.edges[known + 1] = end + strings.sizes[n]


@compiled
def number_strings(
    strings: KeyedStrings, table: StringTable, known: int, numbers: np.ndarray, begin: int
) -> tuple[int, int]:
    """Numbers strings, and adds those that are new to the table.

    Args:
        strings: N strings.
        table: the known strings.
        known: number of known strings.
        numbers: int32 [N], receives the number of each string.
        begin: index of the first string to number.

    Returns:
        The number of known strings, and the index of the first string that is not numbered, for lack of space; N if
        all are.
    """
    keys, slots = strings.keys, table.slots
    mask, by = np.uint64(len(slots) - 1), np.uint64(table.shift)
    max_known = min(len(slots) // 2, len(table.edges) - 1)
    for n in range(begin, len(keys)):
        key = keys[n]
        slot = (key * _MIXER) >> by
        number = np.int64(slots[slot, 1]) - 1
        while number >= 0:
            if slots[slot, 0] == key and (not key & MAY_BE_SHARED or _is_string(strings, n, table, number)):
                break
            slot = (slot + _NEXT) & mask
            number = np.int64(slots[slot, 1]) - 1
        if number < 0:
            if known == max_known or table.edges[known] + strings.sizes[n] > len(table.arena):
                return known, n
            _append(strings, n, table, known)
            slots[slot, 0], slots[slot, 1] = key, np.uint64(known + 1)
            number = np.int64(known)
            known += 1
        numbers[n] = number
    return known, len(keys)


@compiled
def fill_slots(keys: np.ndarray, slots: np.ndarray, shift: int) -> None:
    """Fills empty slots with the known strings, which all differ.

    Args:
        keys: uint64 [N], the key of each string.
        slots: uint64 [2^k, 2], of zeros; see `StringTable`.
        shift: 64 - k.
    """
    mask, by = np.uint64(len(slots) - 1), np.uint64(shift)
    for n in range(len(keys)):
        slot = (keys[n] * _MIXER) >> by
        while slots[slot, 1] != 0:
            slot = (slot + _NEXT) & mask
        slots[slot, 0], slots[slot, 1] = keys[n], np.uint64(n + 1)
