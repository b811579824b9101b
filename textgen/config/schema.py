"""Checks values of JSON files that a stranger may have written: their types, bounds, patterns and sizes.

A schema is an object made of the kinds below, declared once per file format; `strict_json` parses files by it.

>>> Record({"x": Whole(at_most=9)}).check({"x": 12}, "point")
Traceback (most recent call last):
textgen.config.schema.SchemaError: point.x is 12; it must be a whole number from 0 to 9
"""

import dataclasses
import functools
import itertools
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

MAX_WHOLE = (1 << 53) - 1
"""The largest whole number that every JSON reader keeps exactly."""

SHA256 = "[0-9a-f]{64}"
"""Pattern of a SHA-256 as hexadecimal digits."""

_SHOWN = 60
"""Maximum number of characters of a value in an error."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class SchemaError(ValueError):
    """A value that is not as declared. The message says what was found and the rule, without a final full stop."""


class Kind(Protocol):
    """Declaration of a value."""

    def check(self, value: Any, name: str) -> Any:
        """Returns the value, or the object that it stands for.

        Args:
            value: a value as JSON has it.
            name: its place in the file, such as `units[3].bytes`, for the error; empty for the whole.

        Raises:
            SchemaError: the value is not as declared.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Whole:
    """A whole number."""

    at_least: int = 0
    at_most: int = MAX_WHOLE

    def check(self, value: Any, name: str) -> int:
        """See `Kind`."""
        if type(value) is not int or not self.at_least <= value <= self.at_most:
            _refuse(value, name, f"a whole number from {self.at_least:,} to {self.at_most:,}")
        return value


@dataclasses.dataclass(frozen=True)
class Real:
    """A finite number."""

    at_least: float = -1e300
    at_most: float = 1e300

    def check(self, value: Any, name: str) -> float:
        """See `Kind`."""
        if type(value) not in (int, float) or not self.at_least <= value <= self.at_most or not math.isfinite(value):
            _refuse(value, name, f"a number from {self.at_least:g} to {self.at_most:g}")
        return value


@dataclasses.dataclass(frozen=True)
class Text:
    """A text.

    Attributes:
        max_length: maximum number of characters.
        pattern: regular expression that the whole text must match; empty for any.
        choices: the texts that are allowed; empty for any.
        is_path: whether it may have surrogates, which stand for bytes of a file's name that are no UTF-8.
    """

    max_length: int = 10_000
    pattern: str = ""
    choices: tuple[str, ...] = ()
    is_path: bool = False

    def check(self, value: Any, name: str) -> str:
        """See `Kind`."""
        if not isinstance(value, str):
            _refuse(value, name, "a text")
        if self.choices:
            if value not in self.choices:
                _refuse(value, name, f"one of: {', '.join(filter(None, self.choices))}")
            return value
        if len(value) > self.max_length:
            _refuse(value, name, f"a text of at most {self.max_length:,} characters")
        if self.pattern and not self._compiled.fullmatch(value):
            _refuse(value, name, f"a text that matches {self.pattern}")
        if not self.is_path and not value.isascii() and _SURROGATE.search(value):
            _refuse(value, name, "a text without surrogates")
        if self.is_path and "\0" in value:
            _refuse(value, name, "a path without a NUL character")
        return value

    @functools.cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.ASCII)


@dataclasses.dataclass(frozen=True)
class Flag:
    """True or false."""

    def check(self, value: Any, name: str) -> bool:
        """See `Kind`."""
        if not isinstance(value, bool):
            _refuse(value, name, "true or false")
        return value


@dataclasses.dataclass(frozen=True)
class Anything:
    """A value that another rule checks."""

    def check(self, value: Any, name: str) -> Any:
        """See `Kind`."""
        return value


@dataclasses.dataclass(frozen=True)
class OrNull:
    """Null, or a value of another kind."""

    kind: Kind

    def check(self, value: Any, name: str) -> Any:
        """See `Kind`."""
        return None if value is None else self.kind.check(value, name)


@dataclasses.dataclass(frozen=True)
class ListOf:
    """A list of values of one kind."""

    kind: Kind
    at_most: int = 1 << 28

    def check(self, value: Any, name: str) -> list[Any]:
        """See `Kind`."""
        if not isinstance(value, list) or len(value) > self.at_most:
            _refuse(value, name, f"a list of at most {self.at_most:,} values")
        return [self.kind.check(each, f"{name}[{i}]") for i, each in enumerate(value)]


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A list of whole numbers of one range, which may be long."""

    at_least: int = 0
    at_most: int = MAX_WHOLE
    size: int | None = None

    def check(self, value: Any, name: str) -> list[int]:
        """See `Kind`."""
        if not isinstance(value, list) or self.size not in (None, len(value)):
            _refuse(value, name, "a list of whole numbers" if self.size is None else f"a list of {self.size} numbers")
        for i, each in enumerate(value):
            # Not a call per number.
            if type(each) is not int or not self.at_least <= each <= self.at_most:
                Whole(self.at_least, self.at_most).check(each, f"{name}[{i}]")
        return value


@dataclasses.dataclass(frozen=True)
class Matrix:
    """A list of lists of whole numbers of one range and of one length; there may be millions."""

    columns: int
    at_most: int = MAX_WHOLE

    def check(self, value: Any, name: str) -> list[list[int]]:
        """See `Kind`."""
        # Not a call per list.
        is_list = isinstance(value, list) and set(map(type, value)) <= {list}
        if is_list and set(map(len, value)) <= {self.columns}:
            numbers = list(itertools.chain.from_iterable(value))
            if not numbers or (
                set(map(type, numbers)) == {int} and 0 <= min(numbers) <= max(numbers) <= self.at_most
            ):
                return value
        return ListOf(Numbers(size=self.columns, at_most=self.at_most)).check(value, name)


@dataclasses.dataclass(frozen=True)
class Row:
    """A list with one value of each of several kinds, in order.

    Attributes:
        kinds: kind of each value by a name for it, which stands in errors.
    """

    kinds: Mapping[str, Kind]

    def check(self, value: Any, name: str) -> tuple[Any, ...]:
        """See `Kind`."""
        if not isinstance(value, list) or len(value) != len(self.kinds):
            _refuse(value, name, f"a list of {len(self.kinds)} values: {', '.join(self.kinds)}")
        before = f"{name}." if name else ""
        pairs = zip(self.kinds.items(), value, strict=True)
        return tuple(kind.check(each, before + key) for (key, kind), each in pairs)


@dataclasses.dataclass(frozen=True)
class MapOf:
    """An object with values of one kind, by keys of a kind of text."""

    keys: Text
    values: Kind
    at_most: int = 1_000

    def check(self, value: Any, name: str) -> dict[str, Any]:
        """See `Kind`."""
        if not isinstance(value, dict) or len(value) > self.at_most:
            _refuse(value, name, f"an object with at most {self.at_most:,} keys")
        return {
            self.keys.check(key, f"a key of {name}"): self.values.check(each, _join(name, shown(key)))
            for key, each in value.items()
        }


@dataclasses.dataclass(frozen=True)
class Record:
    """An object with certain keys.

    Attributes:
        required: kinds of the values that must be there, by key.
        optional: kinds of those that may be missing.
    """

    required: Mapping[str, Kind]
    optional: Mapping[str, Kind] = dataclasses.field(default_factory=dict)

    def check(self, value: Any, name: str) -> dict[str, Any]:
        """See `Kind`."""
        if not isinstance(value, dict):
            _refuse(value, name, f"an object with the keys {', '.join(self.required)}")
        kinds = self._kinds
        if not self.required.keys() <= value.keys() <= kinds.keys():
            self._refuse_keys(value, name)
        before = f"{name}." if name else ""
        return {key: kinds[key].check(each, before + key) for key, each in value.items()}

    @functools.cached_property
    def _kinds(self) -> Mapping[str, Kind]:
        return {**self.required, **self.optional}

    def _refuse_keys(self, value: dict[str, Any], name: str) -> NoReturn:
        for key in self.required:
            if key not in value:
                raise SchemaError(f"{_join(name, key)} is missing")
        unknown = next(key for key in value if key not in self._kinds)
        raise SchemaError(f"{_join(name, shown(unknown))} is unknown to this version of textgen")


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def shown(value: Any) -> str:
    """Returns a short printable form of a value."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    text = ascii(value[: 2 * _SHOWN]) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _refuse(value: Any, name: str, rule: str) -> NoReturn:
    raise SchemaError(f"{name or 'it'} is {shown(value)}; it must be {rule}")
