"""Numbers the distinct symbols of a corpus, such as its words."""

from typing import Protocol

import numpy as np
import pyarrow as pa

from textgen.text.compiled.characters import CHARACTERS, number_characters
from textgen.text.compiled.keys import string_keys
from textgen.text.compiled.string_table import KeyedStrings, StringTable, fill_slots, number_strings

_STRINGS, _BYTES = 1 << 14, 1 << 18
_KEYS_AT_ONCE = 1 << 15
"""Number of strings whose keys are in the processor's cache until they are looked up."""

_ASCII, _BYTE_VALUES = 1 << 7, 1 << 8


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


class CharacterNumbers:
    """The distinct characters that were met; those of ASCII are their own numbers, and others are numbered from 128.

    Most texts have few characters, so that a number fits in a byte.
    """

    def __init__(self) -> None:
        self._known = _ASCII
        self._table = np.full(CHARACTERS, -1, np.int32)
        self._symbols = np.empty(CHARACTERS, np.int32)
        self._table[:_ASCII] = self._symbols[:_ASCII] = np.arange(_ASCII)

    def number_text(self, text: np.ndarray, characters: int) -> np.ndarray:
        """Returns the numbers of the characters of a text, uint8 [N], or int32 [N] if there are many.

        Args:
            text: uint8 [S], valid UTF-8.
            characters: N, its number of characters.
        """
        if characters == len(text):
            # All are ASCII.
            return text
        numbers = np.empty(characters, np.uint8)
        self._known = number_characters(text, self._table, self._symbols, self._known, numbers)
        if self._known <= _BYTE_VALUES:
            return numbers
        numbers = np.empty(characters, np.int32)
        number_characters(text, self._table, self._symbols, self._known, numbers)
        return numbers

    def number_symbols(self, symbols: np.ndarray) -> np.ndarray:
        """Returns the numbers of code points, int [N] → uint8 [N], or int32 [N] if there are many."""
        new = np.unique(symbols[self._table[symbols] < 0])
        numbers = self._known + np.arange(len(new))
        self._table[new], self._symbols[numbers] = numbers, new
        self._known += len(new)
        return self._table[symbols].astype(np.uint8 if self._known <= _BYTE_VALUES else np.int32)

    def symbols(self) -> pa.Array:
        """Returns the code point of each number, as an int32 array; some of ASCII may not have been met."""
        return pa.array(self._symbols[: self._known])


class StringNumbers:
    """The distinct strings that were met, numbered from 0 in the order of first occurrence."""

    def __init__(self) -> None:
        self._known, bits = 0, _STRINGS.bit_length()
        self._table = StringTable(
            slots=np.zeros((1 << bits, 2), np.uint64),
            arena=np.empty(_BYTES, np.uint8),
            edges=np.zeros(_STRINGS + 1, np.int64),
            shift=64 - bits,
        )

    def __len__(self) -> int:
        """Returns the number of distinct strings."""
        return self._known

    @property
    def size(self) -> int:
        """Number of bytes of all distinct strings."""
        return int(self._table.edges[self._known])

    def number(self, source: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Returns the numbers of strings, int32 [N]; new strings get new numbers.

        Args:
            source: uint8 [S].
            starts: int64 [N], start of each string in `source`.
            sizes: int32 [N], number of its bytes.
        """
        numbers = np.empty(len(starts), np.int32)
        for first in range(0, len(starts), _KEYS_AT_ONCE):
            part = slice(first, first + _KEYS_AT_ONCE)
            keys = string_keys(source, starts[part], sizes[part])
            self._number(KeyedStrings(source, keys, starts[part], sizes[part]), numbers[part])
        return numbers

    def number_symbols(self, symbols: np.ndarray) -> np.ndarray:
        """Returns the numbers of strings, object [N] of bytes → int32 [N]."""
        sizes = np.fromiter(map(len, symbols), np.int32, len(symbols))
        source = np.frombuffer(b"".join(symbols), np.uint8)
        starts = np.cumsum(sizes, dtype=np.int64) - sizes
        return self.number(source, starts, sizes)

    def symbols(self) -> pa.Array:
        """Returns the distinct strings as a binary array."""
        return self.strings()

    def strings(self, first: int = 0) -> pa.Array:
        """Returns the distinct strings from a number on, as a binary array that shares no memory with this object."""
        edges = self._table.edges[first : self._known + 1]
        data = self._table.arena[edges[0] : edges[-1]].copy()
        offsets = (edges - edges[0]).astype(np.int32)
        return pa.Array.from_buffers(pa.binary(), len(edges) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])

    def _number(self, strings: KeyedStrings, numbers: np.ndarray) -> None:
        """Fills `numbers`, int32 [N], with the numbers of strings."""
        done = 0
        while done < len(numbers):
            self._known, done = number_strings(strings, self._table, self._known, numbers, done)
            if done < len(numbers):
                self._grow(int(strings.sizes[done]))

    def _grow(self, size: int) -> None:
        """Makes room for more strings, of which the next has `size` bytes."""
        table = self._table
        if self.size + size > len(table.arena):
            table = table._replace(arena=np.resize(table.arena, 2 * max(len(table.arena), size)))
        if self._known == len(table.edges) - 1:
            edges = np.zeros(2 * self._known + 1, np.int64)
            edges[: self._known + 1] = table.edges
            slots = np.zeros((2 * len(table.slots), 2), np.uint64)
            table = StringTable(slots, table.arena, edges, table.shift - 1)
            starts, sizes = edges[: self._known], np.diff(edges[: self._known + 1]).astype(np.int32)
            fill_slots(string_keys(table.arena, starts, sizes), slots, table.shift)
        self._table = table
