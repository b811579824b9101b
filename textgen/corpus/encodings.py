"""Converts text of any encoding to UTF-8, and invalid UTF-8 to valid UTF-8.

A sequence that is invalid in its encoding becomes one byte that UTF-8 does not allow, so that one check of the UTF-8
serves every encoding.
"""

import codecs
import functools
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_ASCII = bytes(range(128))
# Latin, Japanese, Chinese and Korean characters and a punctuation mark; an encoding ignores those that it lacks.
_NON_ASCII = "é、あ中한"
_INVALID_BYTE = "textgen-invalid-byte"
_MAX_HELD = 1 << 20

_LARGE = 1 << 16
"""Number of bytes from which Arrow counts characters: about as fast, without the memory of a decoded text, and beside
other threads."""


def _invalid_byte(error: UnicodeError) -> tuple[str | bytes, int]:
    """Error handler of `codecs`: decodes an invalid sequence to a lone surrogate, and encodes one to 0xff."""
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    raise error


codecs.register_error(_INVALID_BYTE, _invalid_byte)


@functools.cache
def is_ascii_compatible(encoding: str) -> bool:
    """Returns whether line ends, commas and quotation marks are their ASCII bytes and occur in no other character.

    Files in such an encoding can be split without decoding them.

    >>> is_ascii_compatible("cp1252"), is_ascii_compatible("shift_jis")
    (True, True)
    >>> is_ascii_compatible("utf-16"), is_ascii_compatible("iso2022_jp")
    (False, False)
    """
    try:
        encoded = _NON_ASCII.encode(encoding, "ignore")
        # Files are split only at bytes below the digits; gb18030 has digits within its characters.
        return _ASCII.decode(encoding) == _ASCII.decode("ascii") and all(byte >= ord("0") for byte in encoded)
    except UnicodeError:
        return False


@functools.cache
def is_part_of_others(mark: str, encoding: str) -> bool:
    r"""Returns whether the byte of an ASCII character is the second byte of other characters, as `|` in Shift-JIS.

    >>> is_part_of_others("|", "shift_jis"), is_part_of_others("|", "utf-8")
    (True, False)
    """
    pairs = (bytes([first]) + mark.encode("ascii", "ignore") for first in range(128, 256))
    texts = [pair.decode(encoding, "ignore") for pair in pairs]
    return mark.isascii() and any(text and mark not in text for text in texts)


@functools.cache
def has_single_bytes(encoding: str) -> bool:
    """Returns whether every byte is a character.

    >>> has_single_bytes("cp1252"), has_single_bytes("shift_jis"), has_single_bytes("utf-8")
    (True, False, False)
    """
    upper = bytes(range(128, 256))
    return encoding != "utf-8" and len(upper.decode(encoding, "replace")) == len(upper)


def decoded(raw: bytes, encoding: str) -> str:
    """Decodes a text; each invalid sequence becomes a lone surrogate, which `utf8` writes as an invalid byte."""
    return raw.decode(encoding, _INVALID_BYTE)


def utf8(text: str) -> bytes:
    """Encodes a text as UTF-8; each lone surrogate becomes the invalid byte 0xff."""
    return text.encode("utf-8", _INVALID_BYTE)


def to_utf8(raw: bytes, encoding: str) -> bytes:
    """Converts a text to UTF-8; the result is valid if and only if the text is. UTF-8 is returned unchanged."""
    return raw if encoding == "utf-8" else utf8(decoded(raw, encoding))


def decoded_blocks(blocks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Decodes the blocks of a text as `decoded` does; a character may span two blocks."""
    decoder = codecs.getincrementaldecoder(encoding)(_INVALID_BYTE)
    held = b""
    for block in blocks:
        state, block = decoder.getstate(), held + block
        try:
            text = decoder.decode(block)
        except UnicodeError:
            # A decoder keeps up to 8 bytes for its next call, but an escape sequence may have 16.
            if len(block) > _MAX_HELD:
                raise
            decoder.setstate(state)
            held = block
        else:
            held = b""
            yield text
    yield decoder.decode(held, True)


def blocks_to_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Converts the blocks of a text to UTF-8; a character may span two blocks."""
    return map(utf8, decoded_blocks(blocks, encoding))


class Utf8(NamedTuple):
    """A text as valid UTF-8.

    Attributes:
        text: the text; the same object as was given if that is valid.
        characters: number of its characters.
        replaced: number of characters that are U+FFFD in place of invalid sequences.
    """

    text: bytes
    characters: int
    replaced: int


def is_valid_utf8(raw: bytes) -> bool:
    """Returns whether bytes are valid UTF-8."""
    return count_characters(raw) is not None


def count_characters(raw: bytes) -> int | None:
    """Returns the number of characters of UTF-8, or None for bytes that are not valid.

    Decodes in Python, since TensorFlow's `unicode_transcode` takes ten times as long.
    """
    if len(raw) >= _LARGE:
        return _count_by_arrow(raw)
    try:
        return len(raw.decode())
    except UnicodeDecodeError:
        return None


def _count_by_arrow(raw: bytes) -> int | None:
    # Imported late, since it takes a tenth of a second.
    import pyarrow as pa
    import pyarrow.compute

    edges = pa.py_buffer(struct.pack("=2q", 0, len(raw)))
    text = pa.LargeStringArray.from_buffers(1, edges, pa.py_buffer(raw))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return int(pa.compute.utf8_length(text)[0].as_py())


def valid_utf8(raw: bytes) -> Utf8:
    """Returns a text as valid UTF-8, with U+FFFD for each invalid sequence."""
    characters = count_characters(raw)
    if characters is not None:
        return Utf8(raw, characters, 0)
    text = raw.decode(errors="replace")
    replaced = text.count("\ufffd") - raw.count(b"\xef\xbf\xbd")
    return Utf8(text.encode(), len(text), replaced)
