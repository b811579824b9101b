"""Declares settings: help, choices, bounds and group stand beside a field, once.

The checks of a value, the command-line options, the keys of a settings file and the reference in the documentation
are derived from these declarations. A field without a complete declaration is an error when its module is imported.
"""

import dataclasses
import inspect
import math
import numbers
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from textgen.config.checks import require_choice
from textgen.errors import UserError, require

GROUPS = {
    "input": "input",
    "tables": "tables: csv, tsv, json, jsonl and parquet",
    "cleaning": "cleaning (the default keeps the text, apart from case, white space and punctuation)",
    "filters": "document filters (the default keeps every document that holds text)",
    "tokens": "tokens and vocabulary",
    "pairs": "pairs",
    "splits": "held-out splits",
    "network": "network",
    "batches": "batches and epochs",
    "optimizer": "optimizer and learning rate",
    "loss": "loss",
    "validation": "validation and early stopping",
    "checkpoints": "checkpoints",
    "samples": "samples, written at each validation",
    "neural cache": "neural cache (for lstm networks)",
    "adaptation": "adaptation to what was read (for lstm networks)",
    "generated text": "generated text (with --generation)",
    "sampling": "sampling",
    "repetition": "repetition",
    "tokens allowed": "tokens that are allowed",
    "length": "length and end",
}
"""Titles of the groups that settings belong to, in the order in which help shows them."""

_TYPES = {
    int: "a whole number", float: "a number", str: "text", bool: "true or false", tuple: "a list",
    dict: "numbers by token",
}  # fmt: skip
_PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}
_METAVARS = {int: "N", float: "X", str: "NAME", bool: "", tuple: "N[,N...]", dict: "TOKEN=X"}

_MAX_NUMBER = (1 << 53) - 1
"""The largest whole number that every JSON reader keeps exactly."""

_MAX_TEXT = 10_000
"""Maximum number of characters of a text."""

Config = TypeVar("Config", bound="Settings")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """Declaration of one setting.

    Attributes:
        name: the field's name, which is also its key in JSON and TOML.
        kind: `int`, `float`, `str`, `bool`, `tuple` for several values, or `dict` for numbers by name.
        item: type of the values of a `tuple` or `dict`; on the command line texts and numbers by name are given by
            one option each, and other values are separated by commas.
        default: the default value.
        optional: whether None is a value.
        help: one phrase for the command line, without the default and without a full stop.
        group: a key of GROUPS.
        choices: the values that are allowed; empty for any.
        at_least: the smallest value that is allowed.
        above: the value that it must exceed.
        at_most: the largest value that is allowed.
        below: the value that it must stay under.
        limit: the largest whole number that can be computed with; its bounds in errors do not name it.
        remedy: sentence that ends the error for a value that is not allowed.
        convert: puts a value that is allowed into its normal form, or raises UserError.
        metavar: placeholder of the value in help.
        option: the option's name without dashes; derived from `name` unless it is given.
        former: name of the option in the version before.
        advanced: whether only `--help-all` shows it.
        changeable: whether a resumed run may change it.
        normal_default: the default value in its normal form.
    """

    name: str
    kind: type
    item: type = int
    default: Any
    optional: bool = False
    help: str
    group: str
    choices: tuple[str, ...] = ()
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    limit: int = _MAX_NUMBER
    remedy: str = ""
    convert: Callable[[Any], Any] | None = None
    metavar: str = ""
    option: str = ""
    former: str = ""
    advanced: bool = False
    changeable: bool = False
    normal_default: Any = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        for name, missing in (("help", not self.help), ("group", self.group not in GROUPS)):
            if missing:
                raise TypeError(f"setting {self.name!r} has no {name}. Declare it with setting(default, {name}=…).")
        if self.kind not in _TYPES:
            raise TypeError(f"setting {self.name!r} is {self.kind}; it must be one of: {list(_TYPES)}.")
        object.__setattr__(self, "normal_default", self.check(self.default))

    @property
    def label(self) -> str:
        """The setting's name in a sentence."""
        return self.option.replace("-", " ") or self.name.replace("_", " ")

    @property
    def flag(self) -> str:
        """The setting's option on the command line."""
        return "--" + (self.option or self.name.replace("_", "-"))

    @property
    def placeholder(self) -> str:
        """Placeholder of the value in help."""
        return "{" + ",".join(self.choices) + "}" if self.choices else self.metavar or _METAVARS[self.kind]

    @property
    def is_repeated(self) -> bool:
        """Whether its option is given once per value, instead of once with all values."""
        return self.kind is dict or (self.kind is tuple and self.item is str)

    def check(self, value: Any) -> Any:
        """Returns a value in its normal form: `5` becomes `5.0` where the setting is a float, a list a tuple.

        Raises:
            UserError: the value is not allowed.
        """
        if value is None and self.optional:
            return None
        if self.kind is tuple:
            values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
            return tuple(self._check_one(item, self.item) for item in values)
        if self.kind is dict:
            return self._check_by_name(value)
        value = self._check_one(value, self.kind)
        return self.convert(value) if self.convert else value

    def _check_by_name(self, values: Any) -> dict[Any, Any]:
        is_mapping = isinstance(values, Mapping) and all(isinstance(name, (str, int)) for name in values)
        require(is_mapping, f"{self.label} is {values!r}; it must be {_TYPES[dict]}. {self.remedy}".rstrip())
        return {name: self._check_one(value, self.item) for name, value in values.items()}

    def _check_one(self, value: Any, kind: type) -> Any:
        # Messages are made where they are needed, since a server checks the settings of each request.
        wanted: Any = {int: numbers.Integral, float: numbers.Real}.get(kind, kind)
        if not isinstance(value, wanted) or (kind is not bool and isinstance(value, bool)):
            wanted = _PLURALS[kind] if self.kind in (tuple, dict) else _TYPES[kind]
            raise UserError(f"{self.label} is {value!r}; it must be {wanted}. {self.remedy}".rstrip())
        # So large a number fits into no array, and none beyond 1e308 into a float.
        if kind in (int, float) and isinstance(value, int) and abs(value) > self.limit:
            raise UserError(f"{self.label} is too large; it must be at most {self.limit:,}.")
        value = kind(value)
        if kind is str and len(value) > _MAX_TEXT:
            raise UserError(
                f"{self.label} has {len(value):,} characters; it must have at most {_MAX_TEXT:,}. Shorten it."
            )
        if self.choices:
            require_choice(self.label, value, self.choices)
        if kind in (int, float) and not self._holds(value):
            raise UserError(f"{self.label} is {value}; it must be {self.rule}. {self.remedy}".rstrip())
        return value

    def _holds(self, value: float) -> bool:
        return (
            math.isfinite(value)
            and (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    @property
    def rule(self) -> str:
        """The bounds in words, as `from 1 to 4,096` or `finite and above 0`; empty without bounds."""
        if self.at_least is not None and self.at_most is not None:
            return f"from {self.at_least:,} to {self.at_most:,}"
        bounds = {"at least": self.at_least, "above": self.above, "at most": self.at_most, "below": self.below}
        words = [f"{word} {bound:,}" for word, bound in bounds.items() if bound is not None]
        kind = self.item if self.kind in (tuple, dict) else self.kind
        open_end = kind is float and self.at_most is None and self.below is None
        return " and ".join(["finite"] * open_end + words)


def setting(default: Any, **declared: Any) -> Any:
    """Returns the field of a setting; `declared` are attributes of `Setting`."""
    return dataclasses.field(default=default, metadata={"declared": declared})


def internal(default: str, *, pattern: str) -> Any:
    """Returns a text field that textgen fills in, as the hash of a file; no option and no settings file sets it.

    Args:
        default: the default value.
        pattern: regular expression that the whole value must match.
    """
    return dataclasses.field(default=default, metadata={"internal": pattern})


class Settings:
    """Base of the settings classes, which are frozen, keyword-only dataclasses.

    Each field is declared by `setting` or `internal`, or is itself of a settings class.
    """

    own_settings: ClassVar[Mapping[str, Setting]] = {}
    parts: ClassVar[Mapping[str, "type[Settings]"]] = {}
    internals: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        # Those of a base class are its own too.
        cls.own_settings, cls.parts, cls.internals = dict(cls.own_settings), dict(cls.parts), dict(cls.internals)
        for name, kind in inspect.get_annotations(cls).items():
            field = cls.__dict__.get(name)
            metadata = field.metadata if isinstance(field, dataclasses.Field) else {}
            if isinstance(kind, type) and issubclass(kind, Settings):
                cls.parts[name] = kind
            elif "declared" in metadata:
                cls.own_settings[name] = _declared(name, kind, typing.cast("dataclasses.Field[Any]", field))
            elif "internal" in metadata:
                cls.internals[name] = metadata["internal"]
            else:
                raise TypeError(f"{cls.__name__}.{name} is not declared. Write {name}: … = setting(default, help=…).")

    def __post_init__(self) -> None:
        for name, declared in self.own_settings.items():
            value = getattr(self, name)
            # A server makes settings for each request, most of which are defaults.
            normal = declared.normal_default if value is declared.default else declared.check(value)
            object.__setattr__(self, name, normal)
        for name, rule in self.internals.items():
            value = getattr(self, name)
            is_valid = isinstance(value, str) and re.fullmatch(rule, value)
            require(bool(is_valid), f"{name.replace('_', ' ')} is {value!r}; it must match {rule}.")
        self.check_together()

    def check_together(self) -> None:
        """Checks the rules that join several settings.

        Raises:
            UserError: a rule is broken.
        """


def _declared(name: str, kind: Any, field: "dataclasses.Field[Any]") -> Setting:
    """Returns the declaration of a field of type `T` or `T | None`."""
    members = [member for member in typing.get_args(kind) if member is not types.NoneType]
    optional = isinstance(kind, types.UnionType)
    whole = members[0] if optional else kind
    base, arguments = typing.get_origin(whole) or whole, typing.get_args(whole)
    return Setting(
        name=name,
        kind=dict if base is Mapping else base,
        item=arguments[-1] if base is Mapping else arguments[0] if arguments else int,
        default=field.default,
        optional=optional,
        **field.metadata["declared"],
    )


def all_settings(*kinds: type[Settings]) -> Iterator[Setting]:
    """Yields the settings of some classes and of the settings classes inside them."""
    for kind in kinds:
        for part in kind.parts.values():
            yield from all_settings(part)
        yield from kind.own_settings.values()


def build(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Returns the settings of a class from values by name; each value goes to the part that has its setting.

    Raises:
        UserError: a value is not allowed.
    """
    own = {name: values[name] for name in (*kind.own_settings, *kind.internals) if name in values}
    return kind(**own, **{name: build(part, values) for name, part in kind.parts.items()})
