"""Cuts cleaned texts into the pre-tokens of byte-level BPE, by kinds of characters that the graph tells once."""

import string
import threading
from typing import NamedTuple

import numpy as np

from textgen.text.compiled.pretoken_cutting import CHARACTERS, cut_pretokens, find_unknown

_BLOCK = 1 << 12


class Pretokens(NamedTuple):
    """T pre-tokens of B texts.

    Attributes:
        keys: uint64 [T], the key of each.
        starts: int64 [T], its start in the texts.
        sizes: int32 [T], number of its bytes.
        lengths: int64 [B], number of pre-tokens of each text.
    """

    keys: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    lengths: np.ndarray


def ascii_kinds() -> np.ndarray:
    """Returns uint8 [128], the kinds that `character_kinds` tells of ASCII, for texts that need no graph."""
    kinds = np.full(128, 4, np.uint8)
    for kind, characters in enumerate(("\t\n\v\f\r ", string.ascii_letters, string.digits), 1):
        kinds[[ord(character) for character in characters]] = kind
    return kinds


class PretokenCutter:
    """Finds pre-tokens as `split_pretokens` does. Threads may share it."""

    def __init__(self) -> None:
        self._kinds, self._lock = np.zeros(CHARACTERS, np.uint8), threading.Lock()
        self._kinds[:128] = ascii_kinds()

    def cut(self, text: np.ndarray, edges: np.ndarray) -> Pretokens:
        """Returns the pre-tokens of texts.

        Args:
            text: uint8 [S], texts one after another, each valid UTF-8.
            edges: int64 [B + 1], start of each text in `text`, and the end of the last.
        """
        # Another thread must not take a kind that is not known yet.
        with self._lock:
            self._learn_kinds(text)
        keys, starts, sizes = (np.empty(len(text), dtype) for dtype in (np.uint64, np.int64, np.int32))
        lengths = np.empty(len(edges) - 1, np.int64)
        count = cut_pretokens(text, edges, self._kinds, keys, starts, sizes, lengths)
        return Pretokens(keys[:count], starts[:count], sizes[:count], lengths)

    def _learn_kinds(self, text: np.ndarray) -> None:
        """Asks the graph for the kinds of characters that were not met before."""
        codes = np.empty(_BLOCK, np.int64)
        while count := find_unknown(text, self._kinds, codes):
            # Imported late, since most texts have no new characters, and TensorFlow takes seconds.
            from textgen.text.tokenizers.pretokens import character_kinds

            self._kinds[codes[:count]] = character_kinds([chr(code) for code in codes[:count].tolist()])
            if count < _BLOCK:
                return
