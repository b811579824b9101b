"""Reads JSON values one after another from a stream of text, so that memory holds one value at a time.

Values are parsed by Python's `json`, as those of JSON Lines files are, so that both formats give the same documents.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from textgen.corpus.encodings import decoded

# Integers are read as floats, since Python refuses integers of thousands of digits.
JSON = json.JSONDecoder(parse_int=float)


def decode_json(content: bytes, encoding: str) -> Any:
    """Returns a JSON value in an encoding; bytes that are invalid in it are kept as lone surrogates.

    Raises:
        ValueError: it is no JSON value.
        RecursionError: it is nested too deeply.
    """
    return JSON.decode(decoded(content, encoding))


_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_TOKEN = 16
"""Number of characters of the longest token that can be cut, such as `-Infinity` or `\\\\u0041`."""

_UNTERMINATED = "Unterminated string"


class JsonError(ValueError):
    """Text that is no JSON.

    Attributes:
        character: index of the character at which it stops being JSON, from 0.
    """

    def __init__(self, message: str, character: int):
        super().__init__(message)
        self.character = character


class Value(NamedTuple):
    """A JSON value, and its text in the stream."""

    value: Any
    text: str


class JsonStream:
    """The values of a stream of text; the methods read on from where the last one stopped.

    Args:
        blocks: the text, in blocks of any size.
        max_characters: maximum length of a value that is read as a whole.
    """

    def __init__(self, blocks: Iterator[str], *, max_characters: int):
        self._blocks, self._most = blocks, max_characters
        self._text, self._position, self._before = "", 0, 0

    @property
    def characters_read(self) -> int:
        """Number of characters read so far."""
        return self._before + self._position

    def peek(self) -> str:
        """Skips white space and returns the next character without reading it; empty at the end of the stream."""
        while True:
            self._position = _SPACE.match(self._text, self._position).end()  # type: ignore[union-attr]
            if self._position < len(self._text) or not self._fill():
                return self._text[self._position : self._position + 1]

    def value(self) -> Value:
        """Reads a value.

        Raises:
            JsonError: there is none, or it is longer than `max_characters`.
        """
        self.peek()
        while True:
            try:
                value, end = JSON.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith(_UNTERMINATED) or error.pos > len(self._text) - _LONGEST_TOKEN
                if not cut or not self._fill():
                    self._check_length(error.pos)
                    raise self._error(error.msg, error.pos) from error
            except RecursionError:
                raise self._error("Values are nested too deeply", self._position) from None
            else:
                # A number may continue in the next block, as `1` and `1.` do in `1.5`.
                whole = not isinstance(value, int | float) or end < len(self._text) - _LONGEST_TOKEN
                if whole or not self._fill():
                    self._check_length(end)
                    text = self._text[self._position : end]
                    self._position = end
                    return Value(value, text)

    def items(self) -> Iterator[Value]:
        """Reads an array, and yields its items.

        Raises:
            JsonError: it is no array, or an item is no JSON.
        """
        self._take("[")
        if self.peek() != "]":
            yield self.value()
            while self.peek() == ",":
                self._take(",")
                yield self.value()
        self._take("]")

    def members(self) -> Iterator[str]:
        """Reads an object, and yields its keys; the caller reads the value of each before it asks for the next.

        Raises:
            JsonError: it is no object, or a key is no string.
        """
        self._take("{")
        if self.peek() != "}":
            yield self._key()
            while self.peek() == ",":
                self._take(",")
                yield self._key()
        self._take("}")

    def skip(self) -> None:
        """Reads a value; of an array or object only one item at a time is in memory.

        Raises:
            JsonError: it is no JSON.
        """
        kind = self.peek()
        if kind == "[":
            for _ in self.items():
                pass
        elif kind == "{":
            for _ in self.members():
                self.value()
        else:
            self.value()

    def _key(self) -> str:
        if self.peek() != '"':
            raise self._error("Expecting property name enclosed in double quotes", self._position)
        key = self.value().value
        self._take(":")
        return key

    def _take(self, character: str) -> None:
        if self.peek() != character:
            raise self._error(f"Expecting {character!r}", self._position)
        self._position += 1

    def _fill(self) -> bool:
        """Adds at least as many characters as are held, so that a long value is parsed few times.

        Returns False, and changes nothing, at the end of the stream.
        """
        held = len(self._text) - self._position
        # The token at the end may be cut, and need not belong to the value.
        self._check_length(len(self._text) - _LONGEST_TOKEN)
        added = list[str]()
        while sum(map(len, added)) <= held and (block := next(self._blocks, None)) is not None:
            added.append(block)
        if any(added):
            self._before += self._position
            self._text, self._position = "".join([self._text[self._position :], *added]), 0
        return any(added)

    def _check_length(self, end: int) -> None:
        """Checks the length of a value from its own characters, so that it does not depend on the blocks.

        Raises:
            JsonError: the value, which goes on to at least `end`, is longer than `max_characters`.
        """
        if end - self._position > self._most:
            raise self._error(f"A value is longer than {self._most:,} characters (--max-row-bytes)", self._position)

    def _error(self, message: str, position: int) -> JsonError:
        return JsonError(message, self._before + position)
