"""Compiled loops that read characters from UTF-8, and number those that are met."""

import numpy as np

from textgen.numba_loops import compiled, inlined

CHARACTERS = 0x110000
"""Number of code points."""


@inlined
def decode(text: np.ndarray, i: int) -> tuple[int, int]:
    """Returns the code point that begins at text[i], and where the next one begins."""
    byte = int(text[i])
    if byte < 0x80:
        return byte, i + 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | text[i + 1] & 0x3F, i + 2
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | (text[i + 1] & 0x3F) << 6 | text[i + 2] & 0x3F, i + 3
    high = (byte & 0x07) << 18 | (text[i + 1] & 0x3F) << 12
    return high | (text[i + 2] & 0x3F) << 6 | text[i + 3] & 0x3F, i + 4


@compiled
def number_characters(
    text: np.ndarray, table: np.ndarray, symbols: np.ndarray, known: int, numbers: np.ndarray
) -> int:
    """Numbers the characters of texts; one that is new gets the next number.

    Args:
        text: uint8 [S], valid UTF-8 of N characters.
        table: int32 [1,114,112], the number of each code point, or -1.
        symbols: int32 [1,114,112], the code point of each number.
        known: how many numbers there are.
        numbers: int [N], receives the numbers of the characters.

    Returns:
        How many numbers there are now; `numbers` must have room for as large ones.
    """
    i = 0
    for n in range(len(numbers)):
        code, i = decode(text, i)
        if table[code] < 0:
            table[code], symbols[known] = known, code
            known += 1
        numbers[n] = table[code]
    return known
