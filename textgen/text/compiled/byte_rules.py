"""Reads the settings as rules for single bytes, so that a compiled pass can apply them to ASCII text.

The graph of `textgen.text.cleaning` and of the tokenizers is the definition. These rules say which text is simple
enough to be cut without it: chunks of ASCII between white space, to which only rules for single bytes apply. Any
other chunk, or the whole text, is left to the graph.
"""

import dataclasses
import re
import string
from typing import NamedTuple

import numpy as np

from textgen.config import TextConfig

SPACE, WORD, MARK, QUOTE, OTHER = range(5)
"""Kinds of bytes: white space; a part of a word; a mark; an apostrophe; a byte whose chunk is left to the graph."""

KEEP, SEPARATE, STRIP = range(3)
"""What happens to marks: they are parts of words, tokens of their own, or removed."""

_TOKENS = {"word": "words", "wordpiece": "words", "char": "characters", "byte": "bytes", "bpe": "pretokens"}
"""The tokenizers that cut text at white space and marks, or after it is cleaned."""

_UNDERSTOOD: dict[str, tuple[str, ...]] = {
    "normalization": ("nfkc", "nfc", "none"),
    "case": ("fold", "keep"),
    "whitespace": ("collapse", "keep"),
    "punctuation": ("keep", "separate", "strip"),
    "html": ("keep", "strip"),
    "urls": ("keep", "mask"),
    "emails": ("keep", "mask"),
    "mentions": ("keep", "mask"),
    "numbers": ("keep", "zero", "mask"),
    "redactions": ("keep", "mask"),
    "line_ends": ("space",),
}
"""The settings that these rules follow, and the values that they know."""

_ANY_VALUE = {"tokenizer", "tokenizer_model", "vocabulary_size", "max_repeats", "unknown_word", "unknown"}
"""Settings that these rules follow whatever their value, or that change no text and no token."""

_ALPHANUMERIC = string.ascii_letters + string.digits


class ByteRules(NamedTuple):
    """Rules for text of which most is ASCII.

    Attributes:
        kinds: uint8 [256], the kind of each byte.
        mapped: uint8 [256], the byte that replaces each in cleaned text.
        tokens: "words", "characters", "bytes" or "pretokens".
        marks: KEEP, SEPARATE or STRIP.
        collapses: whether a run of white space becomes one space; if not, lines are kept.
        longest_run: maximum number of equal bytes in a row in a chunk that is not left to the graph; 0 for no limit.
        whole: matches bytes of a text that must be left to the graph as a whole.
        changes: whether texts change at all; if not, no other rule but `tokens` is to be applied.
    """

    kinds: np.ndarray
    mapped: np.ndarray
    tokens: str
    marks: int
    collapses: bool
    longest_run: int
    whole: re.Pattern[bytes]
    changes: bool = True


def byte_rules(config: TextConfig) -> ByteRules | None:
    """Returns the rules of these settings; None if the settings have no such rules."""
    tokens = _TOKENS.get(config.tokenizer)
    if tokens is None or (tokens != "words" and config.punctuation != "keep") or not _understands(config):
        return None
    if config.normalization == "none" and config.changes_text:
        # The other rules replace control characters and line ends.
        return None
    return ByteRules(
        kinds=_kinds(config),
        mapped=_mapped(config),
        tokens=tokens,
        marks={"keep": KEEP, "separate": SEPARATE, "strip": STRIP}[config.punctuation],
        collapses=config.whitespace == "collapse",
        longest_run=config.max_repeats,
        whole=re.compile(b"|".join(_whole(config))),
        changes=config.changes_text,
    )


def _understands(config: TextConfig) -> bool:
    """Returns whether the rules follow all settings; those of a new cleaning rule are the graph's alone."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name not in _ANY_VALUE and value not in _UNDERSTOOD.get(field.name, (field.default,)):
            return False
    return True


def _kinds(config: TextConfig) -> np.ndarray:
    kinds = np.full(256, OTHER, np.uint8)
    kinds[:128] = MARK
    kinds[:33], kinds[127] = SPACE, SPACE
    kinds[_codes(_ALPHANUMERIC)] = WORD
    kinds[ord("'")] = QUOTE
    kinds[_codes(_left_to_graph(config))] = OTHER
    return kinds


def _left_to_graph(config: TextConfig) -> str:
    """Returns the characters of which every match of a rule has at least one."""
    characters = ""
    if config.urls == "mask":
        # "://" or "www."
        characters += "/."
    if "mask" in (config.emails, config.mentions):
        characters += "@"
    if config.numbers == "mask":
        characters += string.digits
    if config.max_repeats:
        # Where apostrophes are removed, the characters beside them may be equal.
        characters += "'"
    if not config.unknown_word.isalnum():
        characters += "".join(set(config.unknown_word) - set(_ALPHANUMERIC + string.whitespace))
    return "".join(character for character in characters if character.isascii())


def _mapped(config: TextConfig) -> np.ndarray:
    mapped = np.arange(256, dtype=np.uint8)
    if config.case == "fold":
        mapped[_codes(string.ascii_uppercase)] = _codes(string.ascii_lowercase)
    if config.numbers == "zero":
        mapped[_codes(string.digits)] = ord("0")
    controls = np.append(np.arange(32), 127)
    mapped[controls] = ord(" ")
    if config.whitespace == "keep":
        mapped[_codes("\t\n\r")] = _codes("\t\n\n")
    return mapped


def _whole(config: TextConfig) -> list[bytes]:
    """Returns patterns of which every match of a rule that spans white space contains one."""
    patterns = [rb"\x1b"]
    if config.html == "strip":
        patterns.append(b"[<&]")
    if config.redactions == "mask":
        patterns.append(b"[xX]{2}")
    return patterns


def _codes(characters: str) -> list[int]:
    return [ord(character) for character in characters]
