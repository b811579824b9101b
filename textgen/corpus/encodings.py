"""What bytes mean: text of any encoding as UTF-8, and UTF-8 made valid.

Where the bytes mean nothing, one byte that UTF-8 does not allow takes their place. So whatever a text was encoded
in, whether it is valid can be told from its UTF-8, and told once.
"""

import codecs
import functools
from collections.abc import Iterable, Iterator

_ASCII = bytes(range(128))
_OTHERS = "é、あ中한"
_INVALID_BYTE = "textgen-invalid-byte"


def _invalid_byte(error: UnicodeError) -> tuple[str | bytes, int]:
    """Decodes to a lone surrogate what can't be decoded, and encodes a lone surrogate to 0xff."""
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    raise error


codecs.register_error(_INVALID_BYTE, _invalid_byte)


@functools.cache
def is_ascii_compatible(encoding: str) -> bool:
    """Whether line ends, commas and the like are the bytes of ASCII and part of no other character.

    Then a file can be cut at them undecoded.

    >>> is_ascii_compatible("cp1252"), is_ascii_compatible("shift_jis")
    (True, True)
    >>> is_ascii_compatible("utf-16"), is_ascii_compatible("iso2022_jp")
    (False, False)
    """
    try:
        others = _OTHERS.encode(encoding, "ignore")
        # All that files are cut at is below the digits, which gb18030 has within its characters.
        return _ASCII.decode(encoding) == _ASCII.decode("ascii") and all(byte >= ord("0") for byte in others)
    except UnicodeError:
        return False


def decoded(raw: bytes, encoding: str) -> str:
    """A text with a lone surrogate for each invalid sequence, for `utf8` to turn into an invalid byte."""
    return raw.decode(encoding, _INVALID_BYTE)


def utf8(text: str) -> bytes:
    """A text as UTF-8, with an invalid byte for each lone surrogate."""
    return text.encode("utf-8", _INVALID_BYTE)


def to_utf8(raw: bytes, encoding: str) -> bytes:
    """A text as UTF-8 that is valid where the text is; UTF-8 itself is passed on as it stands."""
    return raw if encoding == "utf-8" else utf8(decoded(raw, encoding))


def blocks_to_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """A text given in blocks as UTF-8 in blocks, however its characters lie across them."""
    decoder = codecs.getincrementaldecoder(encoding)(_INVALID_BYTE)
    for block in blocks:
        yield utf8(decoder.decode(block))
    yield utf8(decoder.decode(b"", True))


def is_valid_utf8(raw: bytes) -> bool:
    """Whether bytes are UTF-8.

    Python decodes here because TensorFlow's `unicode_transcode` takes ten times as long.
    """
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def valid_utf8(raw: bytes) -> bytes:
    """The same object where it is valid UTF-8; else a copy with U+FFFD for each invalid sequence."""
    return raw if is_valid_utf8(raw) else raw.decode(errors="replace").encode()
