"""Splits documents that are too long to be held in memory into chunks.

A chunk ends before white space, so that no word or combining sequence is split. The white space begins the next
chunk, so that the concatenated chunks are the document.
"""

import unicodedata
from collections.abc import Iterable, Iterator

from textgen.corpus.readers.base import CHUNK_BYTES

_WHITE_SPACE = (b" ", b"\n", b"\r", b"\t", b"\v", b"\f")
# Maximum number of bytes per character in UTF-8.
_LONGEST_CHARACTER = 4
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
    """Returns the last offset at which the next character does not combine with the one before it."""
    boundary = _character_start(text, last)
    offset = boundary
    while offset > first:
        if not _joins(text[offset : offset + _LONGEST_CHARACTER].decode(errors="ignore")[0]):
            return offset
        offset = _character_start(text, offset - 1)
    return boundary


def _character_start(text: bytes | bytearray, offset: int) -> int:
    """Returns the offset of the first byte of the UTF-8 character that has a byte at `offset`."""
    while text[offset] & 0xC0 == 0x80:
        offset -= 1
    return offset


def _joins(character: str) -> bool:
    """Returns whether a character is a mark or Hangul vowel or final, which may combine with the one before it."""
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(first).startswith("M") or "\u1160" <= first <= "\u11ff"
