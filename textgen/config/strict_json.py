"""Parses JSON that a stranger may have written, by a schema.

Size and nesting are limited before anything is parsed, so that a crafted file takes no more memory than a real one.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from textgen.config.schema import Kind, SchemaError, shown

MAX_NESTING = 16
"""Maximum number of lists and objects inside each other."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.S)
_STRING_OR_BRACKET = re.compile(_STRING.pattern + rb"|[\[\]{}]", re.S)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OF_ONE_KIND = bytes.maketrans(b"{}", b"[]")


def parse_json(content: bytes, kind: Kind, *, max_bytes: int, name: str = "") -> Any:
    """Parses a JSON value and checks it.

    Args:
        content: JSON in UTF-8.
        kind: the schema.
        max_bytes: maximum size of the content.
        name: name of the value for errors; empty for the whole of a file.

    Raises:
        SchemaError: the content is too large, nested too deeply, or not as declared.
    """
    return kind.check(_parsed(content, max_bytes), name)


def parse_json_lines(
    content: bytes, kind: Kind, *, max_bytes: int, max_line_bytes: int = 1 << 24, lines: int | None = None
) -> Iterator[Any]:
    """Yields the checked value of each line that is not empty; the same errors as of `parse_json`.

    Args:
        content: JSON Lines in UTF-8.
        kind: the schema of a line.
        max_bytes: maximum size of the content.
        max_line_bytes: maximum size of a line.
        lines: number of lines that the content must have, counted before any is parsed; None for any.

    Raises:
        SchemaError: the content or a line is too large, nested too deeply, or not as declared; or the content has
            another number of lines.
    """
    require_size(content, max_bytes)
    require_lines(content, lines)
    start, number = 0, 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        number += 1
        if end > start:
            try:
                yield kind.check(_parsed(content[start:end], max_line_bytes), "")
            except SchemaError as error:
                raise SchemaError(f"line {number:,}: {error}") from None
        start = end + 1


def _parsed(content: bytes, max_bytes: int) -> Any:
    require_size(content, max_bytes)
    _require_flat(content)
    try:
        return _DECODER.decode(content.decode())
    except SchemaError:
        raise
    except UnicodeDecodeError as error:
        raise SchemaError(f"it is not UTF-8 after byte {error.start:,}") from None
    except json.JSONDecodeError as error:
        raise SchemaError(f"it is not JSON: {error.msg} after character {error.pos:,}") from None
    except (ValueError, RecursionError):
        # Python refuses numbers of more than some thousand digits.
        raise SchemaError("it has a number of too many digits") from None


def require_size(content: bytes, max_bytes: int) -> None:
    """Checks the size of a content.

    Raises:
        SchemaError: it is larger than `max_bytes`.
    """
    if len(content) > max_bytes:
        raise SchemaError(f"it has {len(content):,} bytes; it may have at most {max_bytes:,}")


def require_lines(content: bytes, lines: int | None) -> None:
    """Checks the number of lines, of which the last need not end in a line feed.

    Raises:
        SchemaError: the content has another number of lines; None allows any.
    """
    found = content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
    if lines is not None and found != lines:
        raise SchemaError(f"its number of lines is {found:,}; it must be {lines:,}")


def _require_flat(content: bytes) -> None:
    """Checks the nesting of JSON before it is parsed, since a parser calls itself for each level."""
    if content.count(b"[") + content.count(b"{") <= MAX_NESTING:
        return
    # Brackets that hold nothing are removed level by level, which is faster than the loop below.
    brackets = _STRING.sub(b"", content).translate(_OF_ONE_KIND, _NO_BRACKETS)
    for _ in range(MAX_NESTING):
        brackets = brackets.replace(b"[]", b"")
    if not brackets:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(content):
        byte = content[match.start()]
        depth += (byte in b"[{") - (byte in b"]}")
        if depth > MAX_NESTING:
            raise SchemaError(f"it has more than {MAX_NESTING} lists and objects inside each other")


def _refuse_constant(found: str) -> NoReturn:
    raise SchemaError(f"it has the number {found}, which JSON does not allow")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise SchemaError(f"it has the key {shown(next(key for key in keys if keys.count(key) > 1))} twice")
    return found


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique)
