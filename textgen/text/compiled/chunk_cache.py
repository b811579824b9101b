"""Remembers how the graph cleans and cuts chunks, so that it does so once for each distinct chunk."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from textgen.text.compiled.growing_array import GrowingArray
from textgen.text.compiled.loop_arrays import CutChunks
from textgen.text.compiled.symbol_numbers import StringNumbers

MAX_CHUNKS, MAX_BYTES = 1 << 20, 64 << 20


class GraphTokens(NamedTuple):
    """A batch of B texts as the graph cleans and tokenizes them, with T tokens in all, of which U are distinct.

    Attributes:
        cleaned: object [B] of bytes, the cleaned texts.
        characters: int [B], number of code points of each.
        symbols: object [U] of bytes, or int32 [U], the distinct symbols.
        indices: int [T], the symbol of each token.
        lengths: int [B], number of tokens of each text.
    """

    cleaned: np.ndarray
    characters: np.ndarray
    symbols: np.ndarray
    indices: np.ndarray
    lengths: np.ndarray


Graph = Callable[[Sequence[bytes], Sequence[bool]], GraphTokens]
"""Cleans and tokenizes texts; the second argument is whether each one continues the document of the text before."""


class ChunkCache:
    """The chunks that the graph has cut; several threads may use it at a time."""

    def __init__(
        self,
        graph: Graph,
        *,
        max_chunks: int = MAX_CHUNKS,
        max_bytes: int = MAX_BYTES,
    ):
        """Creates an empty cache.

        Args:
            graph: cleans and tokenizes texts.
            max_chunks: number of chunks at which the cache is emptied.
            max_bytes: number of bytes of chunks at which the cache is emptied.
        """
        self._graph, self._max_chunks, self._max_bytes = graph, max_chunks, max_bytes
        self._lock = threading.Lock()
        self._clear()

    def look_up(self, text: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, CutChunks]:
        """Returns the row of each chunk in CutChunks, int32 [M]; the graph cuts those that are new.

        Args:
            text: uint8 [S].
            starts: int64 [M], start of each chunk in `text`.
            ends: int64 [M], its end.
        """
        sizes = (ends - starts).astype(np.int32)
        with self._lock:
            if len(self._chunks) >= self._max_chunks or self._chunks.size >= self._max_bytes:
                self._clear()
            known = len(self._chunks)
            rows = self._chunks.number(text, starts, sizes)
            if len(self._chunks) > known:
                try:
                    new = self._chunks.strings(known).to_pylist()
                    self._add(self._graph(new, [False] * len(new)))
                except BaseException:
                    # Chunks that have numbers but no tokens would count as known.
                    self._clear()
                    raise
            return rows, CutChunks(**{name: part.view() for name, part in self._parts.items()})

    def _clear(self) -> None:
        self._chunks = StringNumbers()
        # Edges begin with the start of the first.
        self._parts = {
            "text": GrowingArray(np.uint8),
            "edges": GrowingArray(np.int64, [0]),
            "characters": GrowingArray(np.int64),
            "token_edges": GrowingArray(np.int64, [0]),
            "token_starts": GrowingArray(np.int64),
            "token_sizes": GrowingArray(np.int32),
        }

    def _add(self, chunks: GraphTokens) -> None:
        tokens = chunks.symbols[chunks.indices].tolist()
        source = np.frombuffer(b"".join(chunks.cleaned), np.uint8)
        edges = edges_of([len(cleaned) for cleaned in chunks.cleaned])
        token_edges = edges_of(chunks.lengths)
        starts = _starts(chunks.cleaned, tokens, token_edges.tolist())
        sizes = np.array([len(token) for token in tokens], np.int32)
        parts = self._parts
        new = {
            "token_edges": token_edges[1:] + len(parts["token_starts"]),
            "token_starts": starts,
            "token_sizes": sizes,
            "edges": edges[1:] + len(parts["text"]),
            "text": source,
            "characters": chunks.characters,
        }
        for name, elements in new.items():
            parts[name].extend(elements)


def _starts(cleaned: Iterable[bytes], tokens: Sequence[bytes], edges: Sequence[int]) -> np.ndarray:
    """Returns the start of each token in its cleaned text, int64 [T]; they are parts of it, in order."""
    starts = []
    for row, text in enumerate(cleaned):
        end = 0
        for token in tokens[edges[row] : edges[row + 1]]:
            starts.append(text.index(token, end))
            end = starts[-1] + len(token)
    return np.array(starts, np.int64)


def edges_of(sizes: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns int64 [N + 1], where parts of these sizes begin, one after another, and where the last ends."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
