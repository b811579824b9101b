"""Numbers the distinct symbols of a corpus, such as its words."""

from typing import Protocol

import numpy as np
import pyarrow as pa

from textgen.text.compiled.keys import string_keys
from textgen.text.compiled.string_table import number_strings, place_strings

_STRINGS, _BYTES = 1 << 14, 1 << 18


class SymbolNumbers(Protocol):
    """The distinct symbols that were met, numbered from 0."""

    def number_symbols(self, symbols: np.ndarray) -> np.ndarray:
        """Returns the numbers of symbols, object [N] of bytes or int [N] → int32 [N], or uint8 [N] → uint8 [N]."""
        ...

    def symbols(self) -> pa.Array:
        """Returns the symbol of each number, binary or int32."""
        ...


class IntNumbers:
    """Symbols that are small integers, which are their own numbers."""

    def __init__(self) -> None:
        self._count = 0

    def number_symbols(self, symbols: np.ndarray) -> np.ndarray:
        """Returns the symbols, int [N] → int32 [N], or uint8 [N] → uint8 [N]."""
        numbers = symbols if symbols.dtype == np.uint8 else symbols.astype(np.int32, copy=False)
        if len(numbers):
            self._count = max(self._count, int(numbers.max()) + 1)
        return numbers

    def symbols(self) -> pa.Array:
        """Returns all integers up to the greatest symbol that was met, as an int32 array."""
        return pa.array(np.arange(self._count, dtype=np.int32))


class StringNumbers:
    """The distinct strings that were met, numbered from 0 in the order of first occurrence."""

    def __init__(self) -> None:
        self._known, self._bits = 0, _STRINGS.bit_length()
        self._edges = np.zeros(_STRINGS + 1, np.int64)
        self._arena = np.empty(_BYTES, np.uint8)
        self._table = np.zeros((1 << self._bits, 2), np.uint64)

    def __len__(self) -> int:
        """Returns the number of distinct strings."""
        return self._known

    @property
    def size(self) -> int:
        """Number of bytes of all distinct strings."""
        return int(self._edges[self._known])

    def number(self, source: np.ndarray, keys: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Returns the numbers of strings, int32 [N]; new strings get new numbers.

        Args:
            source: uint8 [S].
            keys: uint64 [N], the key of each string; see `string_keys`.
            starts: int64 [N], start of each string in `source`.
            sizes: int32 [N], number of its bytes.
        """
        numbers, done = np.empty(len(keys), np.int32), 0
        while done < len(keys):
            self._known, done = number_strings(
                source, keys, starts, sizes, self._table, self._arena, self._edges, 64 - self._bits, self._known,
                numbers, done,
            )  # fmt: skip
            if done < len(keys):
                self._grow(int(sizes[done]))
        return numbers

    def number_symbols(self, symbols: np.ndarray) -> np.ndarray:
        """Returns the numbers of strings, object [N] of bytes → int32 [N]."""
        sizes = np.fromiter(map(len, symbols), np.int32, len(symbols))
        source = np.frombuffer(b"".join(symbols), np.uint8)
        starts = np.cumsum(sizes, dtype=np.int64) - sizes
        return self.number(source, string_keys(source, starts, sizes), starts, sizes)

    def symbols(self) -> pa.Array:
        """Returns the distinct strings as a binary array."""
        return self.strings()

    def strings(self, first: int = 0) -> pa.Array:
        """Returns the distinct strings from a number on, as a binary array that shares no memory with this object."""
        edges = self._edges[first : self._known + 1]
        data = self._arena[edges[0] : edges[-1]].copy()
        offsets = (edges - edges[0]).astype(np.int32)
        return pa.Array.from_buffers(pa.binary(), len(edges) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])

    def _grow(self, size: int) -> None:
        """Makes room for more strings, of which the next has `size` bytes."""
        if self.size + size > len(self._arena):
            self._arena = np.resize(self._arena, 2 * max(len(self._arena), size))
        if self._known == len(self._edges) - 1:
            edges = np.zeros(2 * self._known + 1, np.int64)
            edges[: self._known + 1] = self._edges
            self._edges, self._bits = edges, self._bits + 1
            self._table = np.zeros((1 << self._bits, 2), np.uint64)
            starts = edges[: self._known]
            sizes = np.diff(edges[: self._known + 1]).astype(np.int32)
            keys = string_keys(self._arena, starts, sizes)
            place_strings(keys, self._table, 64 - self._bits)
