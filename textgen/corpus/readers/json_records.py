"""Reader of JSON files: an array of records, an object that holds one, or several values one after another."""

import contextlib
import itertools
import json
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from textgen.corpus.batching import Item, Origin, batches
from textgen.corpus.block_files import read_blocks
from textgen.corpus.encodings import decoded_blocks, utf8
from textgen.corpus.json_stream import JsonError, JsonStream, Value
from textgen.corpus.readers.base import FileRange, InputFile, OpenFile, ReadOptions, TextBatch
from textgen.corpus.readers.columns import shown_name
from textgen.corpus.readers.field_paths import DEFAULT_FIELD, MISSING, Several, documents_at, value_at
from textgen.corpus.readers.labels import Labeller
from textgen.corpus.text_files import open_text, text_encoding
from textgen.errors import UserError

_HEAD_RECORDS = 100
"""Number of records of an array that are searched for the field."""

_HEAD_CHARACTERS = 1 << 22
"""Length up to which an object is read as a whole to find out what it holds."""

_MAX_NAMED = 20

_REMEDY = "Correct or download it again, or write one record per line as .jsonl, whose lines are read one by one."


class _Structure(NamedTuple):
    """Location of the records in a file, and of the text in a record.

    Attributes:
        keys: keys that lead from an object at the top to the array of records; None where each value at the top is
            a record.
        field: path of the field in a record; empty where the record itself is the text.
    """

    keys: tuple[str, ...] | None
    field: str


class JsonReader:
    """Reads the field `text_field` of each record (default: `text`); a file is read as a whole, record by record.

    Records are the items of an array, or of the one array in an object whose items have the field, or objects one
    after another. The field may also be given with the keys that lead to the array, as in `data.text`. Strings in an
    array are documents themselves.
    """

    has_columns = True
    endings: tuple[str, ...] = (".json",)

    def check(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> None:
        """Checks that records with the field are found; an empty file passes.

        Raises:
            UserError: the file is no JSON, or no record has the field `text_field`.
        """
        with _opened(file, open_file, options) as stream:
            _layout(stream, file, options)
        labeller = Labeller(options)
        if labeller.fields:
            records = itertools.islice(_records(file, open_file, options), _HEAD_RECORDS)
            head = [record.value for record, _ in records]
            labeller.require_in(head or [{}], file.path)

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns the whole file as one range."""
        return [(0, file.size)]

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the texts at the field; records without one are rejected.

        Raises:
            UserError: the file is no JSON, or a text is invalid and `on_invalid` is "fail".
        """
        file = file_range.file
        join, labeller = options.tables.join, Labeller(options)
        found = (
            item
            for record, field in _records(file, open_file, options)
            for item in labeller.label_record(_items(record, field, join), record.value)
        )
        yield from batches(found, Origin(file, "utf-8", options))


def json_lines(file: InputFile, open_file: OpenFile, options: ReadOptions) -> Generator[bytes, None, None]:
    """Yields the records of a file as lines of a JSON Lines file that is read with the same options.

    Raises:
        UserError: the file is no JSON, or no record has the field `text_field`.
    """
    name = options.text_field or DEFAULT_FIELD
    for record, field in _records(file, open_file, options):
        found = value_at(record.value, field) if field else record.value
        text = found.values if isinstance(found, Several) else found
        # ASCII alone, since a lone surrogate has no encoding.
        labels = {label: value_at(record.value, label) for label in Labeller(options).fields}
        values = {key: value for key, value in {**labels, name: text}.items() if value is not MISSING}
        yield json.dumps(values).encode() + b"\n"


@contextlib.contextmanager
def _opened(file: InputFile, open_file: OpenFile, options: ReadOptions) -> Iterator[JsonStream]:
    with open_text(file, open_file, options) as opened:
        try:
            blocks = decoded_blocks(read_blocks(opened, block_bytes=options.limits.block_bytes), text_encoding(file))
            yield JsonStream(blocks, max_characters=options.tables.max_row_bytes)
        except RecursionError:
            fault = "its values are nested too deeply"
            raise UserError(f"{file.path} can't be read as JSON: {fault}. {_REMEDY}") from None
        except JsonError as error:
            place = f"at character {error.character:,}"
            raise UserError(f"{file.path} can't be read as JSON: {error} {place}. {_REMEDY}") from error


def _records(file: InputFile, open_file: OpenFile, options: ReadOptions) -> Iterator[tuple[Value, str]]:
    """Yields the records of a file, and the path of the field in each.

    Raises:
        UserError: the file is no JSON, or no record has the field `text_field`.
    """
    with _opened(file, open_file, options) as stream:
        layout = _layout(stream, file, options)
    with _opened(file, open_file, options) as stream:
        while stream.peek():
            found = iter([stream.value()]) if layout.keys is None else _items_at(stream, layout.keys)
            for record in found:
                yield record, layout.field


def _items_at(stream: JsonStream, keys: tuple[str, ...]) -> Iterator[Value]:
    """Yields the items of the array to which keys lead; nothing where there is no array."""
    if not keys and stream.peek() == "[":
        yield from stream.items()
    elif keys and stream.peek() == "{":
        for key in stream.members():
            if key == keys[0]:
                yield from _items_at(stream, keys[1:])
            else:
                stream.skip()
    else:
        stream.skip()


def _items(record: Value, field: str, join: str) -> Iterator[Item]:
    if not field and isinstance(record.value, str):
        yield utf8(record.value)
    else:
        yield from documents_at(record.value, field, utf8(record.text), join)


def _layout(stream: JsonStream, file: InputFile, options: ReadOptions) -> _Structure:
    """Finds out where the records are, from the start of the file.

    Raises:
        UserError: no record has the field, or the records of several arrays have it.
    """
    field = options.text_field or DEFAULT_FIELD
    if stream.peek() not in ("", "{", "["):
        raise UserError(
            f"{file.path} does not start with a JSON object or array, so it has no records. "
            "Use another --format, such as document."
        )
    head = _head(stream)
    if any(isinstance(top, dict) and not _holds_more(value_at(top, field)) for top in head):
        return _Structure(None, field)
    if not any(head):
        return _Structure((), field)
    fitting = _fitting(head[0], field)
    if len(fitting) == 1:
        return fitting[0]
    raise _no_field_error(file, options, head[0], several=bool(fitting))


def _holds_more(value: Any) -> bool:
    """Returns whether a value is missing, or an array or object, in which records may be."""
    return value is MISSING or isinstance(value, dict | list)


def _fitting(top: Any, field: str) -> list[_Structure]:
    """Returns the arrays of records that have the field; if there are none, the arrays of strings."""
    arrays = [(keys, items, field.removeprefix("".join(f"{key}." for key in keys))) for keys, items in _arrays(top)]
    with_field = [
        _Structure(keys, within)
        for keys, items, within in arrays
        if any(value_at(item, within) is not MISSING for item in items)
    ]
    return with_field or [
        _Structure(keys, "")
        for keys, items, _ in arrays
        if isinstance(items[0], str) and field in (".".join(keys), DEFAULT_FIELD)
    ]


def _head(stream: JsonStream) -> list[Any]:
    """Returns the first values at the top, with the first items of each array alone."""
    if stream.peek() == "[":
        return [[record.value for record in itertools.islice(stream.items(), _HEAD_RECORDS)]]
    head: list[Any] = []
    while stream.peek() == "{" and len(head) < _HEAD_RECORDS and stream.characters_read <= _HEAD_CHARACTERS:
        head.append({})
        _fill(head[-1], stream)
    return head


def _fill(found: dict[str, Any], stream: JsonStream) -> None:
    """Reads an object into `found`, of arrays the first items alone, until `_HEAD_CHARACTERS` are read."""
    for key in stream.members():
        kind = stream.peek()
        if kind == "[":
            items = found[key] = list[Any]()
            for record in stream.items():
                if len(items) < _HEAD_RECORDS:
                    items.append(record.value)
                elif stream.characters_read > _HEAD_CHARACTERS:
                    return
        elif kind == "{":
            inner = found[key] = dict[str, Any]()
            _fill(inner, stream)
        else:
            found[key] = stream.value().value
        if stream.characters_read > _HEAD_CHARACTERS:
            return


def _arrays(value: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Yields the arrays that are not empty, with the keys that lead to them; none inside other arrays."""
    if isinstance(value, list) and value:
        yield keys, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _arrays(inner, (*keys, key))


def _no_field_error(file: InputFile, options: ReadOptions, top: Any, *, several: bool) -> UserError:
    """Returns the error for a field that no array of records has, or several have."""
    names = list(dict.fromkeys(_text_paths(top)))
    shown = ", ".join(map(shown_name, names[:_MAX_NAMED]))
    rest = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    found = f"{file.path} is a JSON file with texts at {shown}{rest}" if names else f"{file.path} holds no texts"
    what = "several arrays have" if several else "no record has"
    return UserError(
        f"{found}; {what} the field {options.text_field or DEFAULT_FIELD!r}. "
        "Give one of them with --text-field, or text_field in Python."
    )


def _text_paths(top: Any) -> Iterator[str]:
    """Yields the paths of strings that work as `text_field`."""
    for keys, items in _arrays(top):
        for item in items:
            paths = _strings(item)
            yield from (".".join((*keys, path)) if path else ".".join(keys) for path in paths)
    if isinstance(top, dict):
        yield from (path for path in _strings({k: v for k, v in top.items() if not isinstance(v, list)}))


def _strings(value: Any, keys: tuple[str, ...] = ()) -> Iterator[str]:
    """Yields the paths of the strings in a record."""
    if isinstance(value, str):
        yield ".".join(keys)
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _strings(inner, (*keys, str(key)))
