"""Parses the rows of `vocabulary.jsonl`, such as `["the", 14715]`, which a stranger may have written."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from textgen.config.schema import Row, SchemaError, Text, Whole, shown
from textgen.config.strict_json import parse_json_lines, require_lines, require_size

MAX_BYTES = 1 << 30
"""Maximum size of the file, which has about 20 bytes per token."""

_MAX_TOKEN, _MAX_LINE_BYTES = 1 << 20, 1 << 23
"""Maximum number of characters of a token, and of bytes of a line."""

_ROW = Row({"token": Text(max_length=_MAX_TOKEN), "count": Whole()})

_LINE = re.compile(
    rb'\["[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*){0,99}", (?:0|[1-9][0-9]{0,14})\]\n'
)
"""A line as it is written, with few escapes; its value needs no further check but that of its characters."""


class VocabularyRows(NamedTuple):
    """Tokens, and the number of occurrences of each, in the order of their ids."""

    tokens: tuple[str, ...]
    counts: tuple[int, ...]


def parse_rows(content: bytes, *, rows: int | None = None) -> VocabularyRows:
    """Returns the rows of a vocabulary file, at least one.

    Args:
        content: content of the file.
        rows: number of rows that it must have, counted before any is parsed; None for any.

    Raises:
        SchemaError: a line is no list of a text and a count, a token occurs twice, or there are more or fewer rows.
    """
    require_size(content, MAX_BYTES)
    require_lines(content, rows)
    found = _as_written(content)
    if found is None:
        lines = list(parse_json_lines(content, _ROW, max_bytes=MAX_BYTES, max_line_bytes=_MAX_LINE_BYTES))
        found = VocabularyRows(tuple(token for token, _ in lines), tuple(count for _, count in lines))
    if rows not in (None, len(found.tokens)):
        raise SchemaError(f"its number of rows is {len(found.tokens):,}; it must be {rows:,}")
    if not found.tokens:
        raise SchemaError("it has no tokens")
    _require_unique(found.tokens)
    return found


def tokens_sha256(tokens: Sequence[str]) -> str:
    """Returns the SHA-256 of tokens as JSON, as hexadecimal digits; if it is equal, ids mean the same."""
    return hashlib.sha256(json.dumps(tokens).encode()).hexdigest()


def _as_written(content: bytes) -> VocabularyRows | None:
    """Returns the rows of a file in the form in which it is written, three times as fast; None for any other."""
    if _LINE.sub(b"", content):
        return None
    try:
        rows = json.loads(b"[" + content.replace(b"\n", b",")[:-1] + b"]")
        tokens, counts = tuple(token for token, _ in rows), tuple(count for _, count in rows)
        # Fails for surrogates, which JSON can escape.
        "".join(tokens).encode()
    except ValueError:
        return None
    return VocabularyRows(tokens, counts) if max(map(len, tokens), default=0) <= _MAX_TOKEN else None


def _require_unique(tokens: Sequence[str]) -> None:
    if len(set(tokens)) == len(tokens):
        return
    firsts: dict[str, int] = {}
    for row, token in enumerate(tokens, 1):
        first = firsts.setdefault(token, row)
        if first != row:
            raise SchemaError(f"row {row:,} has the token {shown(token)}, as row {first:,} has; tokens must differ")
