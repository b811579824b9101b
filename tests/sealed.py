"""Values that no dataset has, at every place of a file, sealed with right checksums as a stranger can make them."""

import copy
import hashlib
import json
from collections.abc import Iterator
from typing import Any

HOSTILE: tuple[Any, ...] = (
    None, True, -1, 1.5, 10**40, 1e300, "", "../x", "\x1b[2J\u202e\ud800", [], {}, [[]], {"a": 1}, "x" * 20_000,
)  # fmt: skip
"""Values of wrong types, signs and sizes; paths, escapes of terminals, and surrogates."""

_SEAL = b' "sha256": "'

Place = tuple[str | int, ...]
"""Keys and indices that lead to a value."""


def sealed(values: dict[str, Any]) -> bytes:
    """Returns a manifest with a right SHA-256 of its own."""
    body = json.dumps({key: each for key, each in values.items() if key != "sha256"}, indent=1)[:-2].encode() + b",\n"
    return body + _SEAL + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """Yields the place of each value inside a value, and before them its own."""
    yield above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*above, key))


def at(value: Any, place: Place) -> Any:
    """Returns the value at a place."""
    for key in place:
        value = value[key]
    return value


def changed(value: Any, place: Place, new: Any) -> Any:
    """Returns a copy of a value in which another stands at a place."""
    if not place:
        return new
    found = copy.deepcopy(value)
    at(found, place[:-1])[place[-1]] = new
    return found
