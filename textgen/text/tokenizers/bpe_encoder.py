"""Encodes pre-tokens with byte-level BPE outside of graphs, by gigatoken, ten times as fast as `BpeTable`."""

from __future__ import annotations

import itertools
import operator
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from textgen.lazy_tensorflow import tf
from textgen.text.tokenizers.symbol_encoder import SymbolIds
from textgen.text.tokenizers.tokenizer_json import write_json

if TYPE_CHECKING:
    from textgen.text.tokenizers.bpe_table import BpeTable

_SEPARATOR = b"\n"
"""A pre-token by itself between two others, unless one of them is white space."""

_MOST_KEPT = 1 << 19
"""Number of pre-tokens after which gigatoken is loaded anew, since it keeps those that it has encoded: 30 MB of so
many, and about 30 ms to load it."""


class BpeEncoder:
    """Gives each pre-token the ids that `BpeTable` gives it. Threads may share it.

    Attributes:
        kept: number of pre-tokens, at most, that gigatoken keeps.
    """

    def __init__(self, tokens: Sequence[str]):
        """Loads the merges.

        Args:
            tokens: the tokens in the order of their merges; `tokens[i]` has the id `i + 4`.

        Raises:
            UserError: a byte is missing, or a token is not made of two tokens before it.
        """
        # Imported late, since only a preparation needs it.
        from gigatoken import pretokenizer

        self._tokens = tokens
        self._divide, self._lock = pretokenizer, threading.Lock()
        self._load()
        (self._separator,) = self._encode(_SEPARATOR).tolist()

    def _load(self) -> None:
        from gigatoken import Tokenizer

        # No name of a reserved id is searched for in text.
        self._encode = Tokenizer.from_json(write_json(self._tokens, reserved=False)).backend.encode
        self.kept = 0

    def encode(self, symbols: Sequence[bytes]) -> SymbolIds:
        """Returns the ids of pre-tokens, each a whole one as `split_pretokens` returns it."""
        joins = list(map(self._can_be_joined, symbols))
        # What gigatoken has encoded it keeps, and only one thread may add to that.
        with self._lock:
            if self.kept > _MOST_KEPT:
                self._load()
            self.kept += len(symbols)
            joined = self._encode_joined(list(itertools.compress(symbols, joins)))
            others = self._encode_alone(list(itertools.compress(symbols, map(operator.not_, joins))))
        lengths, is_joined = np.empty(len(symbols), np.int64), np.array(joins, bool)
        lengths[is_joined], lengths[~is_joined] = joined.lengths, [len(ids) for ids in others]
        ids, of_joined = np.empty(lengths.sum(), np.int32), np.repeat(is_joined, lengths)
        ids[of_joined], ids[~of_joined] = joined.ids, np.concatenate([[], *others])
        return SymbolIds(ids, lengths)

    def _can_be_joined(self, symbol: bytes) -> bool:
        """Returns whether a pre-token is one between separators too."""
        if symbol.isascii():
            return not symbol.isspace()
        return self._is_whole(symbol) and not symbol.decode().isspace()

    def _is_whole(self, symbol: bytes) -> bool:
        """Returns whether a pre-token is one in the version of Unicode that gigatoken has."""
        return next(iter(self._divide(symbol))) == symbol

    def _encode_joined(self, symbols: Sequence[bytes]) -> SymbolIds:
        """Returns the ids of pre-tokens by one call; a list of them would take ten times as long."""
        ids = self._encode(_SEPARATOR.join([*symbols, b""])).astype(np.int32)
        separates = ids == self._separator
        return SymbolIds(ids[~separates], np.diff(np.flatnonzero(separates), prepend=-1) - 1)

    def _encode_alone(self, symbols: Sequence[bytes]) -> list[np.ndarray]:
        """Returns the ids of each of a few pre-tokens, which are white space or have new characters."""
        divided = [symbol for symbol in symbols if not self._is_whole(symbol)]
        if not divided:
            return [self._encode(symbol) for symbol in symbols]
        found = self._table.ids(tf.constant(divided))
        rows = dict(zip(divided, np.split(found.values.numpy(), found.row_splits.numpy()[1:-1]), strict=True))
        return [rows[symbol] if symbol in rows else self._encode(symbol) for symbol in symbols]

    @cached_property
    def _table(self) -> BpeTable:
        from textgen.text.tokenizers.bpe_table import BpeTable

        return BpeTable(self._tokens)
