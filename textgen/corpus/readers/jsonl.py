"""Reader of JSON Lines files: one JSON value per line, in which one field holds the document."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from textgen.corpus.batching import Item, Origin, batches
from textgen.corpus.encodings import decoded, utf8
from textgen.corpus.json_stream import JSON
from textgen.corpus.readers.base import FileRange, InputFile, OpenFile, ReadOptions, Rejected, TextBatch
from textgen.corpus.readers.columns import missing_column_error
from textgen.corpus.readers.lines import read_lines
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, text_encoding, text_end
from textgen.errors import UserError

DEFAULT_FIELD = "text"
"""Field that holds the documents where none is named."""

MISSING = object()
"""What `value_at` returns for a field that a value does not have."""

_HEAD_LINES = 100
"""Number of lines at the start of a file of which at least one must have the field."""


class JsonLinesReader(PlainTextReader):
    """Reads the field `text_field` of each line (default: `text`); a line belongs to the range in which it starts."""

    has_columns = True
    endings: tuple[str, ...] = (".jsonl", ".ndjson", ".json-lines")

    def check(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> None:
        """Checks the first lines; an empty file passes.

        Raises:
            UserError: the first line is no JSON object, or none of the first 100 lines has the field `text_field`.
        """
        with open_text(file, open_file, options) as opened:
            lines = _whole(read_lines(opened, FileRange(file, 0, 0), float("inf"), options.limits))
            head = [_value(line, text_encoding(file)) for line in itertools.islice(lines, _HEAD_LINES)]
        if not head:
            return
        if not isinstance(head[0], dict | list):
            raise UserError(
                f"{file.path} does not start with a JSON object; a JSON Lines file has one per line. "
                "Write each object on its own line, or use another --format."
            )
        searched = head if options.text_field else head[:1]
        if all(value_at(value, options.text_field or DEFAULT_FIELD) is MISSING for value in searched):
            raise missing_column_error(file.path, "JSON Lines", list(map(str, _names(head[0]))), options.text_field)

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the texts at the field; lines without one are rejected, and blank lines are skipped.

        Raises:
            UserError: the file has become shorter, or a text is invalid and `on_invalid` is "fail".
        """
        field, encoding = options.text_field or DEFAULT_FIELD, text_encoding(file_range.file)
        with open_text(file_range.file, open_file, options) as file:
            lines = _whole(read_lines(file, file_range, text_end(file_range), options.limits))
            found = (_found(line, field, encoding) for line in lines)
            yield from batches(found, Origin(file_range.file, "utf-8", options))


def value_at(value: Any, field: str) -> Any:
    """Returns the value at a path of keys and indices, or `MISSING`; a key that contains dots is tried first.

    >>> value_at({"messages": [{"content": "hello"}]}, "messages.0.content")
    'hello'
    >>> value_at({"a.b": 1, "a": {"b": 2}}, "a.b")
    1
    """
    if isinstance(value, dict) and field in value:
        return value[field]
    key, dot, rest = field.partition(".")
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        inner = value[int(key)]
    elif isinstance(value, dict) and dot and key in value:
        inner = value[key]
    else:
        return MISSING
    return value_at(inner, rest) if dot else inner


def _names(value: Any) -> Iterable[Any]:
    return value if isinstance(value, dict) else range(len(value))


def _whole(lines: Iterable[bytes | Iterator[bytes]]) -> Iterator[bytes]:
    """Yields the lines that are not blank, with the blocks of a long line joined."""
    for found in lines:
        line = found if isinstance(found, bytes) else b"".join(found)
        if line and not line.isspace():
            yield line


def _value(line: bytes, encoding: str) -> Any:
    try:
        return JSON.decode(decoded(line, encoding))
    except (ValueError, RecursionError):
        return MISSING


def _found(line: bytes, field: str, encoding: str) -> Item:
    return document_at(_value(line, encoding), field, line)


def document_at(record: Any, field: str, content: bytes) -> Item:
    """Returns the text at a path as a document, or the record as rejected if there is none.

    Args:
        record: a JSON value.
        field: path of the text.
        content: the record as it was read.
    """
    text = value_at(record, field)
    if isinstance(text, str):
        return utf8(text)
    return Rejected("empty" if text is None else "malformed row", content)
