"""Finds texts in JSON values by paths such as `data.text` and `messages.*.content`."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from textgen.console import replace_unprintable
from textgen.corpus.batching import Item
from textgen.corpus.encodings import utf8
from textgen.corpus.readers.base import SEPARATORS, Rejected

DEFAULT_FIELD = "text"
"""Field that holds the documents where none is named."""

MISSING = object()
"""What `value_at` returns for a field that a value does not have."""

_ALL = "*"
"""Part of a path that stands for all items of an array, or all values of an object."""

_MAX_PATHS = 20
_KINDS = {dict: "an object", list: "a list", bool: "true or false", float: "a number", int: "a number"}


class Several(NamedTuple):
    """Values at a path with `*`, or at several paths, in the order of the record.

    Attributes:
        values: the values.
    """

    values: list[Any]


def value_at(value: Any, field: str) -> Any:
    """Returns the value at a path of keys and indices, or `MISSING`; a key that contains dots is tried first.

    For a path with `*` it returns `Several`, without the items that lack the rest of the path.

    >>> value_at({"messages": [{"content": "hello"}]}, "messages.0.content")
    'hello'
    >>> value_at({"messages": [{"content": "hello"}, {"id": 1}, {"content": "you"}]}, "messages.*.content").values
    ['hello', 'you']
    >>> value_at({"a.b": 1, "a": {"b": 2}}, "a.b")
    1
    """
    if isinstance(value, dict) and field in value:
        found = value[field]
        # The values of a path with `*` may have been stored under the whole path.
        return Several(found) if _ALL in field.split(".") and isinstance(found, list) else found
    key, dot, rest = field.partition(".")
    if key == _ALL and isinstance(value, dict | list):
        return _several([value_at(item, rest) if dot else item for item in _values(value)], value)
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        inner = value[int(key)]
    elif isinstance(value, dict) and dot and key in value:
        inner = value[key]
    else:
        return MISSING
    return value_at(inner, rest) if dot else inner


def _values(value: dict[Any, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _several(found: list[Any], value: dict[Any, Any] | list[Any]) -> Any:
    """Joins the values of items; MISSING if there are items, and none has one."""
    present = [item for item in found if item is not MISSING]
    if value and not present:
        return MISSING
    return Several([one for item in present for one in (item.values if isinstance(item, Several) else [item])])


def field_value(record: Any, field: str) -> Any:
    """Returns the value at a path, or the values at several paths separated by commas as `Several`, or `MISSING`.

    >>> field_value({"title": "one", "body": "two", "tags": ["three"]}, "title, tags.*").values
    ['one', 'three']
    """
    found = value_at(record, field)
    if found is not MISSING or "," not in field:
        return found
    return _several([value_at(record, part.strip()) for part in field.split(",")], {"": None})


def documents_at(record: Any, field: str, content: bytes, join: str) -> Iterator[Item]:
    """Yields the text at a path as a document, or the record as rejected if there is none.

    Args:
        record: a JSON value.
        field: path of the text, or several separated by commas.
        content: the record as it was read.
        join: a key of SEPARATORS.
    """
    found = field_value(record, field)
    if isinstance(found, str):
        yield utf8(found)
    elif found is MISSING:
        yield Rejected("missing field", content)
    elif found is None:
        yield Rejected("empty", content)
    elif isinstance(found, Several):
        yield from _joined(found, field, content, join)
    else:
        yield Rejected("field without text", content, f"{kind(found)} at {replace_unprintable(field)}")


def _joined(found: Several, field: str, content: bytes, join: str) -> Iterator[Item]:
    """Yields the texts of several values that are not null, joined; the record is rejected if one is no text."""
    texts = [text for text in found.values if text is not None]
    strange = not_text(found)
    separator = SEPARATORS[join]
    if strange is not None:
        yield Rejected("field without text", content, f"{kind(strange)} at {replace_unprintable(field)}")
    elif not texts:
        yield Rejected("empty", content)
    elif separator is None:
        yield from map(utf8, texts)
    else:
        yield separator.join(utf8(text) for text in texts if text)


def not_text(found: Any) -> Any:
    """Returns what `field_value` found, or the first of several values, if it is no text; else None."""
    values = found.values if isinstance(found, Several) else [found]
    return next((value for value in values if value not in (None, MISSING) and not isinstance(value, str)), None)


def kind(value: Any) -> str:
    """Returns the kind of a JSON value in words, as "a list"."""
    return _KINDS.get(type(value), "a value")


def text_paths(value: Any) -> list[str]:
    """Returns the paths of the texts in a value, at most 20; all items of an array have one path.

    >>> text_paths({"id": 1, "messages": [{"role": "user", "content": "hello"}], "tags": ["a", "b"]})
    ['messages.*.role', 'messages.*.content', 'tags.*']
    """
    found: dict[str, None] = {}
    for path in _paths(value, ()):
        found[path] = None
        if len(found) == _MAX_PATHS:
            break
    return list(found)


def _paths(value: Any, keys: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, str):
        yield ".".join(keys)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*keys, str(key)))
    elif isinstance(value, list):
        for inner in value[:_MAX_PATHS]:
            yield from _paths(inner, (*keys, _ALL))
