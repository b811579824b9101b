"""Gives symbols their ids outside of graphs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textgen.config import UNK
from textgen.text.vocabulary import FIRST_ID


class SymbolIds(NamedTuple):
    """The ids of N symbols: int32 [M], those of one symbol after another, and int64 [N], the number of each."""

    ids: np.ndarray
    lengths: np.ndarray


class SymbolEncoder:
    """Gives each symbol the id that `SymbolTable` gives it."""

    def __init__(self, symbols: Sequence[str] | Sequence[int]):
        """Creates an encoder; `symbols[i]` has the id `i + 4`."""
        self._symbols = pa.array([each.encode() if isinstance(each, str) else each for each in symbols])

    def encode(self, symbols: Sequence[bytes] | Sequence[int]) -> SymbolIds:
        """Returns the ids of symbols, one for each; UNK for one without an id."""
        if not len(self._symbols) or not symbols:
            ids = np.full(len(symbols), UNK, np.int32)
        else:
            found = pc.index_in(pa.array(symbols, self._symbols.type), value_set=self._symbols)
            ids = pc.fill_null(pc.add(found, FIRST_ID), UNK).to_numpy().astype(np.int32)
        return SymbolIds(ids, np.ones(len(symbols), np.int64))
