"""Cuts cleaned texts into the pre-tokens of byte-level BPE, by kinds of characters that the graph finds once."""

import threading
import unicodedata
from typing import NamedTuple

import numpy as np

from textgen.text.compiled.characters import CHARACTERS
from textgen.text.compiled.loop_arrays import token_arrays
from textgen.text.compiled.pretoken_cutting import (
    LETTER,
    MARK,
    NUMBER,
    UNKNOWN,
    WHITE,
    cut_pretokens,
    find_unknown,
)
from textgen.text.compiled.reused_arrays import ReusedArrays

_BLOCK = 1 << 12

_BLOCKS = (range(0x3100), range(0xFE00, 0xFE10), range(0xFF00, 0xFFFE))
"""Code points of most scripts with letters, of marks and symbols, and of full-width forms."""

_LETTERS = ((0x4E00, 0x9FA5), (0xAC00, 0xD7A3))
"""First and last code point of the ideographs of Chinese and of the syllables of Korean."""

_SYMBOLS = ((0x1F1E6, 0x1F1FF), (0x1F300, 0x1F6FF), (0x1F900, 0x1F9FF), (0xE000, 0xF8FF))
"""First and last code point of emoji, and of characters without a meaning."""

_KINDS = {"L": LETTER, "N": NUMBER, "Z": WHITE}
"""By the first letter of a category of Unicode; all others are marks."""

_SPACES = [ord(character) for character in "\t\n\v\f\r\x85"]
"""White space that is in no category of spaces."""


class Pretokens(NamedTuple):
    """T pre-tokens of B texts.

    Attributes:
        starts: int64 [T], start of each in the texts.
        sizes: int32 [T], number of its bytes.
        lengths: int64 [B], number of pre-tokens of each text.
    """

    starts: np.ndarray
    sizes: np.ndarray
    lengths: np.ndarray


def known_kinds() -> np.ndarray:
    """Returns uint8 [1,114,112], the kinds of common characters as in `character_kinds`; UNKNOWN for all others.

    A common character is in a block of a widely used script, and its kind has not changed since Unicode 3.2.
    """
    kinds = np.full(CHARACTERS, UNKNOWN, np.uint8)
    for code in (code for block in _BLOCKS for code in block):
        before, now = unicodedata.ucd_3_2_0.category(chr(code)), unicodedata.category(chr(code))
        kind = _KINDS.get(now[0], MARK)
        if before != "Cn" and kind == _KINDS.get(before[0], MARK):
            kinds[code] = kind
    kinds[_SPACES] = WHITE
    for blocks, kind in ((_LETTERS, LETTER), (_SYMBOLS, MARK)):
        for first, last in blocks:
            kinds[first : last + 1] = kind
    return kinds


class PretokenCutter:
    """Finds pre-tokens as `split_pretokens` does. Threads may share it."""

    def __init__(self, arrays: ReusedArrays) -> None:
        self._kinds, self._lock, self._arrays = known_kinds(), threading.Lock(), arrays

    def cut(self, text: np.ndarray, edges: np.ndarray) -> Pretokens:
        """Returns the pre-tokens of texts, valid until the thread cuts others.

        Args:
            text: uint8 [S], texts one after another, each valid UTF-8.
            edges: int64 [B + 1], start of each text in `text`, and the end of the last.
        """
        # Another thread must not read a kind that is not known yet.
        with self._lock:
            self._learn_kinds(text)
        starts, sizes = token_arrays(len(text), self._arrays)
        lengths = np.empty(len(edges) - 1, np.int64)
        count = cut_pretokens(text, edges, self._kinds, starts, sizes, lengths)
        return Pretokens(starts[:count], sizes[:count], lengths)

    def _learn_kinds(self, text: np.ndarray) -> None:
        """Asks the graph for the kinds of characters that were not met before."""
        codes = np.empty(_BLOCK, np.int64)
        while count := find_unknown(text, self._kinds, codes):
            # Imported late, since most texts have no new characters, and TensorFlow takes seconds.
            from textgen.text.tokenizers.pretokens import character_kinds

            self._kinds[codes[:count]] = character_kinds([chr(code) for code in codes[:count].tolist()])
            if count < _BLOCK:
                return
