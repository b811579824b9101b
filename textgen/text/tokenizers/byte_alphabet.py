"""Writes bytes as visible characters, as GPT-2 does: a space is Ġ, a line feed is Ċ, a visible byte is itself.

Vocabularies of byte-level BPE are written in this alphabet, in Hugging Face's files too.
"""

from collections.abc import Iterator


def _characters() -> Iterator[str]:
    """Yields the character of each byte: itself in Latin-1 if it shows, and else the next from U+0100 on."""
    hidden = 0x100
    for byte in range(256):
        shows = 0x21 <= byte <= 0x7E or 0xA1 <= byte <= 0xFF and byte != 0xAD
        yield chr(byte if shows else hidden)
        hidden += not shows


_OF_BYTE = tuple(_characters())
_BYTE_OF = {character: byte for byte, character in enumerate(_OF_BYTE)}

ALPHABET = tuple(sorted(_OF_BYTE))
"""The 256 characters, in the order of their code points, in which vocabularies begin."""


def to_characters(content: bytes) -> str:
    """Returns bytes as visible characters.

    >>> to_characters(b" the")
    'Ġthe'
    """
    return "".join(map(_OF_BYTE.__getitem__, content))


def to_bytes(characters: str) -> bytes:
    """Returns the bytes that `to_characters` has written.

    Raises:
        KeyError: a character is not in the alphabet.
    """
    return bytes(map(_BYTE_OF.__getitem__, characters))


def is_written(text: str) -> bool:
    """Returns whether `to_characters` writes this text for some bytes, at least one."""
    return bool(text) and all(character in _BYTE_OF for character in text)
