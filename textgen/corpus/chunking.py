"""Where a document too long to be held whole is cut.

Before white space, so that no word is cut and no two characters are parted that belong together; the white space
begins the next part, so that the parts joined are the document.
"""

import unicodedata
from collections.abc import Iterable, Iterator

from textgen.corpus.readers.base import CHUNK_BYTES

_WHITE_SPACE = (b" ", b"\n", b"\r", b"\t", b"\v", b"\f")
_LONGEST_CHARACTER = 4
_PREFERRED = 16
"""A line end is preferred in the last sixteenth of a part: there the part is not much shorter for it."""


def split_into_chunks(blocks: Iterable[bytes], *, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The text that valid UTF-8 in blocks makes up, in parts that do not depend on the blocks."""
    held = bytearray()
    for block in blocks:
        held += block
        # The rule looks at the character that follows a part, so that much must be there.
        yield from _take_chunks(held, chunk_bytes, at_least=chunk_bytes + _LONGEST_CHARACTER)
    yield from _take_chunks(held, chunk_bytes, at_least=chunk_bytes + 1)
    if held:
        yield bytes(held)


def _take_chunks(held: bytearray, chunk_bytes: int, *, at_least: int) -> Iterator[bytes]:
    """Takes parts from the front of a text as long as there is so much of it."""
    start = 0
    while len(held) - start >= at_least:
        end = find_chunk_end(held, start=start, chunk_bytes=chunk_bytes)
        yield bytes(held[start:end])
        start = end
    del held[:start]


def find_chunk_end(text: bytes | bytearray, *, start: int = 0, chunk_bytes: int = CHUNK_BYTES) -> int:
    r"""The end of the part that begins at `start` of a text that goes on for more than `chunk_bytes`.

    >>> find_chunk_end(b"one two three", chunk_bytes=8), find_chunk_end(b"one\n\ntwo", chunk_bytes=4)
    (7, 3)
    >>> find_chunk_end(b"unbroken", chunk_bytes=4)
    4
    """
    last = start + chunk_bytes
    preferred = last - chunk_bytes // _PREFERRED
    end = _before_white_space(text, start, text.rfind(b"\n", preferred, last + 1))
    if end < preferred:
        end = _before_white_space(text, start, max(text.rfind(mark, start, last + 1) for mark in _WHITE_SPACE))
    return end if end > start else _between_characters(text, preferred, last)


def _before_white_space(text: bytes | bytearray, start: int, found: int) -> int:
    """The beginning of the run of white space that a place belongs to; `start` if there is none after it."""
    return start + len(text[start : max(start, found)].rstrip())


def _between_characters(text: bytes | bytearray, first: int, last: int) -> int:
    """The last place at which the character that follows does not change the one before it."""
    boundary = _character_start(text, last)
    place = boundary
    while place > first:
        if not _joins(text[place : place + _LONGEST_CHARACTER].decode(errors="ignore")[0]):
            return place
        place = _character_start(text, place - 1)
    return boundary


def _character_start(text: bytes | bytearray, place: int) -> int:
    while text[place] & 0xC0 == 0x80:
        place -= 1
    return place


def _joins(character: str) -> bool:
    """Whether normalization may join a character to the one before it: a mark, a Hangul vowel or final consonant."""
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(first).startswith("M") or "\u1160" <= first <= "\u11ff"
