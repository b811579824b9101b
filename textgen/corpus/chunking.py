"""Splits documents that are too long to be held in memory into chunks.

A chunk ends before white space, so that no word or combining sequence is split. The white space begins the next
chunk, so that the concatenated chunks are the document. A text without white space is split between two characters
that neither combine nor have a joiner, variation selector or other ignorable character between them.
"""

import unicodedata
from collections.abc import Iterable, Iterator

from textgen.corpus.readers.base import CHUNK_BYTES

_WHITE_SPACE = (b" ", b"\n", b"\r", b"\t", b"\v", b"\f")
# Maximum number of bytes per character in UTF-8.
_LONGEST_CHARACTER = 4
_MODIFIERS = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_PREFERRED = 16
"""A line end is preferred in the last sixteenth of a chunk, where it shortens the chunk only a little."""


def split_into_chunks(blocks: Iterable[bytes], *, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yields the chunks of a document.

    Args:
        blocks: the document as valid UTF-8; the chunks do not depend on the block boundaries.
        chunk_bytes: maximum size of a chunk, in bytes.
    """
    held = bytearray()
    for block in blocks:
        held += block
        # The end of a chunk depends on the character after it, so that character must be in `held`.
        yield from _take_chunks(held, chunk_bytes, at_least=chunk_bytes + _LONGEST_CHARACTER)
    yield from _take_chunks(held, chunk_bytes, at_least=chunk_bytes + 1)
    if held:
        yield bytes(held)


def _take_chunks(held: bytearray, chunk_bytes: int, *, at_least: int) -> Iterator[bytes]:
    """Yields and removes chunks from the front of `held` while it has at least `at_least` bytes."""
    start = 0
    while len(held) - start >= at_least:
        end = find_chunk_end(held, start=start, chunk_bytes=chunk_bytes)
        yield bytes(held[start:end])
        start = end
    del held[:start]


def find_chunk_end(text: bytes | bytearray, *, start: int = 0, chunk_bytes: int = CHUNK_BYTES) -> int:
    r"""Returns the end offset of the chunk that starts at `start`; more than `chunk_bytes` bytes must follow.

    >>> find_chunk_end(b"one two three", chunk_bytes=8), find_chunk_end(b"one\n\ntwo", chunk_bytes=4)
    (7, 3)
    >>> find_chunk_end(b"unbroken", chunk_bytes=4)
    4
    """
    last = start + chunk_bytes
    preferred = last - chunk_bytes // _PREFERRED
    line_end = max(text.rfind(b"\n", preferred, last + 1), text.rfind(b"\r", preferred, last + 1))
    end = _before_white_space(text, start, line_end)
    if end < preferred:
        end = _before_white_space(text, start, max(text.rfind(mark, start, last + 1) for mark in _WHITE_SPACE))
    return end if end > start else _between_characters(text, preferred, last)


def _before_white_space(text: bytes | bytearray, start: int, found: int) -> int:
    """Returns the start offset of the white space at offset `found`; `start` if there is none after it."""
    return start + len(text[start : max(start, found)].rstrip())


def _between_characters(text: bytes | bytearray, first: int, last: int) -> int:
    """Returns the last offset at which the next character does not depend on the one before it."""
    boundary = _character_start(text, last)
    offset = boundary
    while offset > first:
        before = _character_start(text, offset - 1)
        if not (_joins(_character(text, offset)) or _goes_on(_character(text, before))):
            return offset
        offset = before
    return boundary


def _character(text: bytes | bytearray, start: int) -> str:
    return text[start : start + _LONGEST_CHARACTER].decode(errors="ignore")[0]


def _character_start(text: bytes | bytearray, offset: int) -> int:
    """Returns the offset of the first byte of the UTF-8 character that has a byte at `offset`."""
    while text[offset] & 0xC0 == 0x80:
        offset -= 1
    return offset


def _joins(character: str) -> bool:
    """Returns whether a character may depend on the one before it.

    This is a mark, a Hangul vowel or final, an emoji modifier, or a character without a shape such as a joiner.
    """
    first = unicodedata.normalize("NFKD", character)[0]
    category = unicodedata.category(first)
    return category.startswith("M") or category == "Cf" or "\u1160" <= first <= "\u11ff" or first in _MODIFIERS


def _goes_on(character: str) -> bool:
    """Returns whether a character affects the one after it; space after the last word of a chunk would be lost."""
    return character.isspace() or unicodedata.category(character) in ("Cf", "Cc") or "\ufe00" <= character <= "\ufe0f"
