"""Cleans and tokenizes the texts of a corpus: simple text by compiled loops, all other text by the graph."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textgen.config import TextConfig
from textgen.text.compiled.byte_rules import SPACE, ByteRules, byte_rules
from textgen.text.compiled.chunk_cache import ChunkCache, Graph, edges_of
from textgen.text.compiled.loop_arrays import ByteTables, FoundTokens, PlacedChunks, Texts, WrittenTexts
from textgen.text.compiled.plain_chunks import PlainChunks
from textgen.text.compiled.pretoken_cutter import PretokenCutter
from textgen.text.compiled.reused_arrays import ReusedArrays
from textgen.text.compiled.symbol_numbers import (
    CharacterNumbers,
    IntNumbers,
    StringNumbers,
    SymbolNumbers,
)
from textgen.text.compiled.text_cleaning import clean_texts
from textgen.text.compiled.text_cutting import cut_texts, find_others

_LONG_CHUNK = 1024
_MEAN_CHUNK = 24
"""Sizes in bytes. A text with a chunk above the first, or whose chunks are above the second on average, is given to
the graph whole: it is in a script without spaces, so that few of its chunks occur again."""

_RARE = 0.01
"""Share of a batch's bytes up to which such texts are cut by chunks too, since TensorFlow may not be needed yet."""


class Tokens(NamedTuple):
    """A batch of B texts, cleaned, with T tokens in all.

    Attributes:
        cleaned: uint8 [C], the cleaned texts one after another.
        edges: int64 [B + 1], start of each in `cleaned`, and the end of the last.
        characters: int64 [B], number of code points of each.
        numbers: uint8 or int32 [T], the number of each token's symbol.
        lengths: int64 [B], number of tokens of each text.
    """

    cleaned: np.ndarray
    edges: np.ndarray
    characters: np.ndarray
    numbers: np.ndarray
    lengths: np.ndarray

    def texts(self) -> list[bytes]:
        """Returns the cleaned texts."""
        cleaned, edges = self.cleaned.tobytes(), self.edges.tolist()
        return [cleaned[start:end] for start, end in zip(edges, edges[1:], strict=False)]


class _Chunks(NamedTuple):
    """M chunks that the graph cuts.

    Attributes:
        starts: int64 [M], start of each in the text.
        ends: int64 [M], its end.
        rows: int64 [M], index of its text.
    """

    starts: np.ndarray
    ends: np.ndarray
    rows: np.ndarray


class CorpusTokenizer:
    """Cleans and tokenizes texts; equal to the graph, and several times as fast. Threads may share it."""

    def __init__(self, config: TextConfig, graph: Graph, *, symbols_are_text: bool, compiled: bool = True):
        """Creates a tokenizer that has met no text.

        Args:
            config: the text settings.
            graph: cleans and tokenizes texts by the definition of the settings.
            symbols_are_text: whether symbols are strings; else they are small integers.
            compiled: whether simple text is left to compiled loops.
        """
        self._graph, self._symbols_are_text = graph, symbols_are_text
        self._rules = byte_rules(config) if compiled else None
        self._arrays = ReusedArrays()
        if self._rules is not None and self._rules.changes:
            self._cache = ChunkCache(PlainChunks(config, self._rules, graph))

    def numbers(self) -> SymbolNumbers:
        """Returns an empty numbering of symbols for `tokenize`."""
        if self._symbols_are_text:
            return StringNumbers()
        return CharacterNumbers() if self._rules and self._rules.tokens == "characters" else IntNumbers()

    def tokenize(self, texts: Sequence[bytes], continued: Sequence[bool], numbers: SymbolNumbers) -> Tokens:
        """Cleans and tokenizes texts.

        Args:
            texts: B texts, valid UTF-8.
            continued: for each text, whether it is a further chunk of the document of the text before.
            numbers: numbers the symbols; those of all calls with one numbering are comparable.
        """
        is_continued = np.array(continued, bool)
        if self._rules is None:
            return self._by_graph(texts, is_continued, numbers)
        joined = b"".join(texts)
        text = np.frombuffer(joined, np.uint8)
        edges = edges_of(np.fromiter(map(len, texts), np.int64, len(texts)))
        if not self._rules.changes:
            return self._cut_cleaned(text, edges, _characters(text, edges), self._rules, numbers)
        chunks = self._others(text, edges, self._rules)
        whole = _whole(joined, edges, is_continued, chunks, self._rules)
        if whole.all():
            return self._by_graph(texts, is_continued, numbers)
        chunks = _Chunks(*(part[~whole[chunks.rows]] for part in chunks))
        ends = np.where(whole, edges[:-1], edges[1:])
        by_loops = self._by_loops(Texts(text, edges[:-1], ends, is_continued), chunks, self._rules, numbers)
        if not whole.any():
            return by_loops
        left = [texts[row] for row in np.flatnonzero(whole).tolist()]
        return _merge(whole, self._by_graph(left, is_continued[whole], numbers), by_loops)

    def _others(self, text: np.ndarray, edges: np.ndarray, rules: ByteRules) -> _Chunks:
        """Finds the chunks that the graph must cut."""
        size = len(text) // 2 + len(edges)
        starts, ends, rows = (self._arrays.get(f"chunk {name}", size, np.int64) for name in _Chunks._fields)
        count = find_others(text, edges, rules.kinds, rules.mapped, rules.longest_run, starts, ends, rows)
        return _Chunks(starts[:count].copy(), ends[:count].copy(), rows[:count].copy())

    @functools.cached_property
    def _pretokens(self) -> PretokenCutter:
        return PretokenCutter(self._arrays)

    def _by_loops(self, texts: Texts, others: _Chunks, rules: ByteRules, numbers: SymbolNumbers) -> Tokens:
        """Tokenizes texts by compiled loops; one that is given to the graph whole is empty, and has no chunk."""
        rows, entries = self._cache.look_up(texts.text, others.starts, others.ends)
        chunks = PlacedChunks(others.starts, others.ends, rows)
        tables = ByteTables(rules.kinds, rules.mapped, rules.marks, rules.collapses)
        written = WrittenTexts.with_room(texts, _total(entries.edges, rows))
        if rules.tokens != "words":
            clean_texts(texts, tables, chunks, entries, written)
            cleaned = written.text[: written.edges[-1]]
            return self._cut_cleaned(cleaned, written.edges, written.characters, rules, numbers)
        assert isinstance(numbers, StringNumbers), "words are strings"
        tokens = FoundTokens.with_room(texts, _total(entries.token_edges, rows), self._arrays)
        count = cut_texts(texts, tables, chunks, entries, written, tokens)
        found = numbers.number(written.text, tokens.starts[:count], tokens.sizes[:count])
        return Tokens(written.text[: written.edges[-1]], written.edges, written.characters, found, tokens.lengths)

    def _cut_cleaned(
        self, cleaned: np.ndarray, edges: np.ndarray, characters: np.ndarray, rules: ByteRules, numbers: SymbolNumbers
    ) -> Tokens:
        """Cuts cleaned texts; `cleaned`, `edges` and `characters` are as in Tokens."""
        if isinstance(numbers, StringNumbers):
            starts, sizes, lengths = self._pretokens.cut(cleaned, edges)
            return Tokens(cleaned, edges, characters, numbers.number(cleaned, starts, sizes), lengths)
        if isinstance(numbers, CharacterNumbers):
            found = numbers.number_text(cleaned, int(characters.sum()))
            return Tokens(cleaned, edges, characters, found, characters)
        return Tokens(cleaned, edges, characters, numbers.number_symbols(cleaned), np.diff(edges))

    def _by_graph(self, texts: Sequence[bytes], continued: np.ndarray, numbers: SymbolNumbers) -> Tokens:
        """Tokenizes texts by the graph."""
        tokens = self._graph(texts, continued.tolist())
        return Tokens(
            np.frombuffer(b"".join(tokens.cleaned), np.uint8),
            edges_of(np.fromiter(map(len, tokens.cleaned), np.int64, len(texts))),
            tokens.characters.astype(np.int64),
            numbers.number_symbols(tokens.symbols)[tokens.indices],
            tokens.lengths,
        )


def _whole(text: bytes, edges: np.ndarray, continued: np.ndarray, chunks: _Chunks, rules: ByteRules) -> np.ndarray:
    """Returns bool [B], whether each text is given to the graph whole."""
    sizes, counts = np.diff(edges), np.bincount(chunks.rows, minlength=len(continued))
    chunk_sizes = chunks.ends - chunks.starts
    in_chunks = np.bincount(chunks.rows, chunk_sizes, len(continued))
    whole = (in_chunks > sizes / 2) & (in_chunks > _MEAN_CHUNK * counts)
    whole[chunks.rows[chunk_sizes > _LONG_CHUNK]] = True
    whole &= sizes[whole].sum() > _RARE * len(text)
    matches = [match.start() for match in rules.whole.finditer(text)]
    whole[np.searchsorted(edges, matches, side="right") - 1] = True
    # Other white space than ASCII may begin a further chunk of a document.
    rows = np.flatnonzero(continued & (sizes > 0))
    first_bytes = np.frombuffer(text, np.uint8)[edges[rows]]
    whole[rows] |= rules.kinds[first_bytes] != SPACE
    return whole


def _merge(chosen: np.ndarray, some: Tokens, others: Tokens) -> Tokens:
    """Joins tokens of the chosen texts, and those of all texts, in which the chosen ones are empty."""
    characters, lengths, sizes = others.characters, others.lengths, np.diff(others.edges)
    characters[chosen], lengths[chosen], sizes[chosen] = some.characters, some.lengths, np.diff(some.edges)
    return Tokens(
        _interleaved(np.repeat(chosen, sizes), some.cleaned, others.cleaned),
        edges_of(sizes),
        characters,
        _interleaved(np.repeat(chosen, lengths), some.numbers, others.numbers),
        lengths,
    )


def _interleaved(chosen: np.ndarray, some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns [N]: in order, the elements of `some` where `chosen`, bool [N], is true, and those of `others`."""
    joined = np.empty(len(chosen), np.result_type(some, others))
    joined[chosen], joined[~chosen] = some, others
    return joined


def _characters(text: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Returns int64 [B], the number of code points of each text."""
    # Every byte but those that continue a character.
    return np.diff(edges_of(text & 0xC0 != 0x80)[edges])


def _total(edges: np.ndarray, rows: np.ndarray) -> int:
    """Returns the total size of the parts with the indices `rows`, in which a part may occur more than once."""
    return int((edges[rows + 1] - edges[rows]).sum())
