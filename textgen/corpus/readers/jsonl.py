"""Reader of JSON Lines files: one JSON value per line, in which one field holds the document."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from textgen.corpus.batching import Item, Origin, batches
from textgen.corpus.json_stream import decode_json
from textgen.corpus.readers.base import SAMPLE_BYTES, FileRange, InputFile, OpenFile, ReadOptions, Rejected, TextBatch
from textgen.corpus.readers.columns import missing_column_error, shown_name
from textgen.corpus.readers.field_paths import (
    DEFAULT_FIELD,
    MISSING,
    documents_at,
    field_value,
    kind,
    not_text,
    text_paths,
)
from textgen.corpus.readers.labels import Labeller
from textgen.corpus.readers.lines import read_lines
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, text_encoding, text_end
from textgen.errors import UserError

_HEAD_LINES = 100
"""Number of lines at the start of a file of which at least one must have the field."""


class JsonLinesReader(PlainTextReader):
    """Reads the field `text_field` of each line (default: `text`); a line belongs to the range in which it starts."""

    has_columns = True
    endings: tuple[str, ...] = (".jsonl", ".ndjson", ".json-lines")

    def check(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> None:
        """Checks the first lines; an empty file passes.

        Raises:
            UserError: the first line is no JSON object, none of the first 100 lines has the field `text_field`, or
                none of them has a text there.
        """
        max_bytes = options.tables.max_row_bytes
        with open_text(file, open_file, options) as opened:
            lines = _whole(read_lines(opened, FileRange(file, 0, 0), float("inf"), options.limits), max_bytes)
            head = [_value(line, text_encoding(file)) for line in itertools.islice(lines, _HEAD_LINES)]
        if not head:
            return
        if not isinstance(head[0], dict | list):
            raise UserError(
                f"{file.path} does not start with a JSON object; a JSON Lines file has one per line. "
                "Write each object on its own line, or use another --format."
            )
        field = options.text_field or DEFAULT_FIELD
        found = [field_value(value, field) for value in (head if options.text_field else head[:1])]
        if all(value is MISSING for value in found):
            names = list(map(str, _names(head[0])))
            hint = _text_hint(head)
            raise missing_column_error(file.path, "JSON Lines", names, options.text_field, hint=hint)
        Labeller(options).require_in(head, file.path)
        values = [field_value(value, field) for value in head]
        strange = [text for value in values if (text := not_text(value)) is not None]
        if len(strange) == sum(value is not MISSING for value in values):
            shown = strange[0]
            raise UserError(
                f"{file.path} holds {kind(shown)} at {shown_name(field)!r}, and a document must be a string. "
                f"{_text_hint(head) or 'It has no texts.'} Give another path with --text-field."
            )

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the texts at the field; lines without one are rejected, and blank lines are skipped.

        Raises:
            UserError: the file has become shorter, or a text is invalid and `on_invalid` is "fail".
        """
        encoding, max_bytes = text_encoding(file_range.file), options.tables.max_row_bytes
        with open_text(file_range.file, open_file, options) as file:
            lines = _whole(read_lines(file, file_range, text_end(file_range), options.limits), max_bytes)
            labeller = Labeller(options)
            found = (item for line in lines for item in _documents(line, encoding, options, labeller))
            yield from batches(found, Origin(file_range.file, "utf-8", options))


def _names(value: Any) -> Iterable[Any]:
    return value if isinstance(value, dict) else range(len(value))


def _whole(lines: Iterable[list[bytes] | Iterator[bytes]], max_bytes: int) -> Iterator[bytes | Rejected]:
    """Yields the lines that are not blank, with the blocks of a long line joined; too long ones as rejected."""
    for found in lines:
        several = found if isinstance(found, list) else [_joined(found, max_bytes)]
        for line in several:
            if isinstance(line, Rejected):
                yield line
            elif line and not line.isspace():
                yield line if len(line) <= max_bytes else _joined([line], max_bytes)


def _joined(blocks: Iterable[bytes], max_bytes: int) -> bytes | Rejected:
    """Joins the blocks of a line; if it has more than `max_bytes` bytes, only its start is held."""
    held, size = list[bytes](), 0
    for block in blocks:
        if size <= max_bytes:
            held.append(block)
        size += len(block)
    if size > max_bytes:
        return Rejected("row too large", b"".join(held)[: min(max_bytes, SAMPLE_BYTES)], f"{size:,} bytes")
    return b"".join(held)


def _value(line: bytes | Rejected, encoding: str) -> Any:
    if isinstance(line, Rejected):
        return MISSING
    try:
        return decode_json(line, encoding)
    except (ValueError, RecursionError):
        return MISSING


def _documents(line: bytes | Rejected, encoding: str, options: ReadOptions, labeller: Labeller) -> Iterator[Item]:
    if isinstance(line, Rejected):
        yield line
        return
    record = _value(line, encoding)
    if record is MISSING:
        yield Rejected("malformed row", line)
    else:
        found = documents_at(record, options.text_field or DEFAULT_FIELD, line, options.tables.join)
        yield from labeller.label_record(found, record)


def _text_hint(head: list[Any]) -> str:
    """Returns a sentence on the texts inside lists and objects of the first line that has any; else nothing."""
    paths = next((paths for value in head if (paths := text_paths(value))), [])
    if not any("." in path for path in paths):
        return ""
    return f"It has texts at {', '.join(map(shown_name, paths))}."
