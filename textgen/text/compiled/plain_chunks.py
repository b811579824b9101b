"""Cleans and cuts chunks of plain characters without the graph: "Café—" → "café", "—".

A character is plain if what the rules make of it does not depend on its neighbours, so that a table can hold it: the
letters, marks and spaces of Latin, Greek, Cyrillic, Armenian and Hebrew text, symbols, single emoji, and the
syllables and ideographs of East Asia. Chunks with any other character are left to the graph, which is the definition.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from textgen.config import TextConfig
from textgen.text.compiled.byte_rules import KEEP, OTHER, SEPARATE, SPACE, ByteRules
from textgen.text.compiled.chunk_cache import Graph, GraphTokens, edges_of

_RANGES = (
    *((0x80, 0x2FF), (0x370, 0x482), (0x48A, 0x58F), (0x5D0, 0x5EA), (0x1E00, 0x1FFF), (0x2000, 0x200A)),
    *((0x2010, 0x2027), (0x202F, 0x205F), (0x20A0, 0x20BF), (0x2100, 0x23FF), (0x2460, 0x27BF), (0x3000, 0x303F)),
    *((0xFF01, 0xFF5E), (0xFFFD, 0xFFFD), (0x1F300, 0x1F3FA), (0x1F400, 0x1F64F), (0x1F680, 0x1F6C5)),
)
"""Code points of letters with case, spaces, punctuation, currencies, symbols, and emoji without their modifiers."""

_UNCHANGED = ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3))
"""Code points of letters that no rule changes."""

_PRIVATE = ((0xE000, 0xF8FF),)
"""Code points without a meaning: separate tokens, but not punctuation."""

_IGNORED = {*"\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"}
"""Characters without a shape, which are removed from words of scripts with spaces."""

_UNSPACED = "\u2e80"
"""First character that may be of a script without spaces between words."""

_LETTERS, _MARKS, _SPACES = ("Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "No"), ("P", "S"), ("Zs", "Cc")
"""Categories of Unicode, or their first letters."""

_APOSTROPHES = "'’"

Cut = tuple[str, list[str]]
"""A cleaned chunk and its tokens."""


class PlainChunks:
    """Cleans chunks, and cuts them into words if these are tokens; plain ones by a table, others by the graph."""

    def __init__(self, config: TextConfig, rules: ByteRules, graph: Graph):
        """Creates the tables.

        Args:
            config: the text settings.
            rules: the rules of these settings.
            graph: cleans and tokenizes other chunks.
        """
        self._graph, self._rules = graph, rules
        self._mapped = plain_characters(config, rules)
        self._plain = {*map(chr, self._mapped), *map(chr, _codes(_UNCHANGED + _PRIVATE))} - _spared(config, rules)
        marks = _escaped(filter(_is_mark, {*"".join(self._mapped.values())}))
        separate = marks + "".join(f"{chr(first)}-{chr(last)}" for first, last in _PRIVATE)
        self._marks, self._tokens = re.compile(f"[{marks}]+"), re.compile(f"[{separate}]|[^ {separate}]+")
        self._too_long = re.compile(rf"(.)\1{{{rules.longest_run}}}") if rules.longest_run else None

    def __call__(self, chunks: Sequence[bytes], continued: Sequence[bool]) -> GraphTokens:
        """Cleans and cuts chunks without ASCII white space; see `Graph`."""
        cuts = [self.cut(chunk.decode()) for chunk in chunks]
        others = [row for row, cut in enumerate(cuts) if cut is None]
        if others:
            by_graph = self._graph([chunks[row] for row in others], [continued[row] for row in others])
            for row, cut in zip(others, self._cuts(by_graph), strict=True):
                cuts[row] = cut
        return _joined([cut for cut in cuts if cut is not None])

    def cut(self, chunk: str) -> Cut | None:
        """Cleans and cuts a chunk; None if it is left to the graph."""
        if not self._plain.issuperset(chunk) or _keeps_ignorables(chunk):
            return None
        cleaned = chunk.translate(self._mapped)
        if self._too_long and self._too_long.search(cleaned):
            return None
        if self._rules.marks not in (KEEP, SEPARATE):
            for apostrophe in _APOSTROPHES:
                cleaned = cleaned.replace(apostrophe, "")
            cleaned = self._marks.sub(" ", cleaned)
        if self._rules.collapses:
            cleaned = " ".join(filter(None, cleaned.split(" ")))
        if self._rules.tokens != "words":
            return cleaned, []
        if self._rules.marks != SEPARATE:
            return cleaned, [word for word in cleaned.split(" ") if word]
        words = map(_without_quotes, self._tokens.findall(cleaned))
        return cleaned, [*itertools.chain.from_iterable(words)]

    def _cuts(self, found: GraphTokens) -> Iterator[Cut]:
        cleaned = [text.decode() for text in found.cleaned]
        if self._rules.tokens != "words":
            yield from ((text, []) for text in cleaned)
            return
        tokens, edges = [token.decode() for token in found.symbols[found.indices]], edges_of(found.lengths).tolist()
        for row, text in enumerate(cleaned):
            yield text, tokens[edges[row] : edges[row + 1]]


def plain_characters(config: TextConfig, rules: ByteRules) -> dict[int, str]:
    """Returns the cleaned text of each plain character, by its code point.

    Punctuation is still there: what removes it looks at the characters beside it.
    """
    ascii_characters = {code: chr(rules.mapped[code]) for code in range(128) if _is_byte_alone(code, rules)}
    normal = {code: _normal(chr(code), config) for code in _codes(_RANGES)}
    # What others become is plain itself: a letter in lower case, or "..." for an ellipsis.
    known = {text: text for code, text in normal.items() if text == chr(code)}
    known |= {chr(code): text for code, text in ascii_characters.items()} | {" ": " "}
    known |= {mark: mark for text in normal.values() if text[:1] == " " for mark in text[1:]}
    for each in _spared(config, rules):
        known.pop(each, None)
    changed = {
        code: "".join(known[character] for character in text)
        for code, text in normal.items()
        if text and known.keys() >= {*text}
    }
    return ascii_characters | changed | dict.fromkeys(map(ord, _IGNORED), "")


def _keeps_ignorables(chunk: str) -> bool:
    """Returns whether characters without a shape may remain in a chunk."""
    return not _IGNORED.isdisjoint(chunk) and max({*chunk} - _IGNORED, default="") >= _UNSPACED


def _codes(ranges: Iterable[tuple[int, int]]) -> Iterator[int]:
    return itertools.chain.from_iterable(range(first, last + 1) for first, last in ranges)


def _spared(config: TextConfig, rules: ByteRules) -> set[str]:
    """Returns characters whose chunks are left to the graph, since several rules look at them."""
    spared = {*config.unknown_word} if not config.unknown_word.isalnum() else set()
    if rules.longest_run:
        # Where apostrophes are removed, the characters beside them may be equal.
        spared.update(_APOSTROPHES)
    return spared


def _is_byte_alone(code: int, rules: ByteRules) -> bool:
    return rules.kinds[code] not in (OTHER, SPACE)


def _normal(character: str, config: TextConfig) -> str:
    """Returns the normal form of a character, with its case folded where asked; empty if it is not plain.

    An accent by itself becomes one on a space.
    """
    category = unicodedata.category(character)
    if category in _SPACES:
        return " "
    if category not in _LETTERS and category[0] not in _MARKS:
        return ""
    compatible = config.normalization == "nfkc"
    normal = partial(unicodedata.normalize, "NFKC" if compatible else "NFC")
    text = normal(character)
    if config.case == "fold":
        text = normal(text.casefold() if compatible else text.lower().replace("ς", "σ"))
    return text if text[:1] == " " or not any(map(unicodedata.combining, text)) else ""


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in _MARKS and character not in _APOSTROPHES


def _without_quotes(token: str) -> list[str]:
    """Returns a token without the apostrophes at its ends, and these."""
    word = token.strip(_APOSTROPHES)
    if not word:
        return [token]
    start = token.index(word)
    return [part for part in (token[:start], word, token[start + len(word) :]) if part]


def _escaped(characters: Iterable[str]) -> str:
    """Returns the inside of a character class."""
    return "".join(map(re.escape, sorted(characters)))


def _joined(cuts: Sequence[Cut]) -> GraphTokens:
    symbols = [token.encode() for _, tokens in cuts for token in tokens]
    return GraphTokens(
        np.array([cleaned.encode() for cleaned, _ in cuts], object),
        np.array([len(cleaned) for cleaned, _ in cuts], np.int64),
        np.array(symbols, object),
        np.arange(len(symbols)),
        np.array([len(tokens) for _, tokens in cuts], np.int64),
    )
