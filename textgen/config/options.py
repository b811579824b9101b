"""Command-line options of settings, with groups, defaults, and options that only `--help-all` shows."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from textgen import presets
from textgen.config.fields import GROUPS, Setting
from textgen.console import printable

Groups = dict[str, argparse._ArgumentGroup]

_PATHS = ("DIR", "DIR[:WEIGHT]", "DIR|RUN", "FILE", "INPUT", "OUTPUT", "PATH", "RUN")
"""Metavariables of arguments that are paths."""


class CommandParser(argparse.ArgumentParser):
    """An ArgumentParser whose `--help` leaves out the options in `advanced`, which `--help-all` shows."""

    def __init__(self, **settings: Any):
        super().__init__(**{"allow_abbrev": False, **settings})
        self.advanced: list[argparse.Action] = []
        self.everything = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parses words; an empty path, as of a variable of the shell that is not set, is an error of usage."""
        parsed, others = super().parse_known_args(args, namespace)
        for action in self._actions:
            value = getattr(parsed, action.dest, None)
            paths = value if isinstance(value, list) else [value]
            if action.metavar in _PATHS and value != action.default and "" in paths:
                name = action.option_strings[0] if action.option_strings else action.metavar
                self.error(f"{name} is empty; it must be a path or URL")
        return parsed, others

    def error(self, message: str) -> NoReturn:
        """Prints the usage and a message, whose words may have characters that act on a terminal, and exits."""
        super().error(printable(message))

    def add_advanced(self, action: argparse.Action) -> argparse.Action:
        """Marks an option as one that only `--help-all` shows, and returns it."""
        if not self.advanced:
            self.add_argument("--help-all", action=_HelpAll, nargs=0, help="show all options and exit")
        self.advanced.append(action)
        return action

    def format_help(self) -> str:
        """Returns the help; unless `everything` is set the advanced options are left out."""
        hidden = [] if self.everything else self.advanced
        helps = [action.help for action in hidden]
        for action in hidden:
            action.help = argparse.SUPPRESS
        try:
            return super().format_help()
        finally:
            for action, text in zip(hidden, helps, strict=True):
                action.help = text


class _HelpAll(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        assert isinstance(parser, CommandParser)
        parser.everything = True
        parser.print_help()
        parser.exit()


class _Former(argparse.Action):
    """An option under its name in the version before: it still works, and prints the new name."""

    def __init__(self, option_strings: Sequence[str], dest: str, *, now: argparse.Action, **_: Any):
        super().__init__(option_strings, dest, nargs=now.nargs, type=now.type, help=argparse.SUPPRESS)  # type: ignore[arg-type]
        self._now = now

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        now = self._now.option_strings[0]
        # The negative of a switch keeps its prefix.
        negative = option is not None and option.startswith("--no-")
        now = self._now.option_strings[1] if negative else now
        print(f"{option} is now called {now}; the old name will be removed in the next version.", file=sys.stderr)
        self._now(parser, namespace, values, now)


def add_former(parser: argparse.ArgumentParser, former: str, now: argparse.Action) -> None:
    """Adds an option's former name, without its dashes, as a hidden option."""
    names = [f"--{former}"]
    if isinstance(now, argparse.BooleanOptionalAction):
        names.append(f"--no-{former}")
    parser.add_argument(*names, dest=now.dest, action=_Former, now=now)


def add_settings(
    parser: CommandParser,
    settings: Iterable[Setting],
    *,
    varying: Mapping[str, Mapping[str, Any]] | None = None,
) -> Groups:
    """Adds an option for each setting, with its default in the help, and returns the groups by their keys.

    An option that is not given is None after parsing, so that a settings file or a preset can supply the value.

    Args:
        parser: the command's parser.
        settings: the settings.
        varying: defaults by name that depend on the tokenizer, for each tokenizer.
    """
    settings = list(settings)
    used = {setting.group for setting in settings}
    groups = {key: parser.add_argument_group(title) for key, title in GROUPS.items() if key in used}
    for setting in settings:
        action = _add_setting(groups[setting.group], setting, varying or {})
        if setting.advanced:
            parser.add_advanced(action)
        if setting.former:
            add_former(parser, setting.former.replace("_", "-"), action)
    return groups


def _add_setting(
    group: argparse._ArgumentGroup, setting: Setting, varying: Mapping[str, Mapping[str, Any]]
) -> argparse.Action:
    default = shown_default(setting, varying)
    shown = f"{setting.help} (default: {default})" if default else setting.help
    # `%` would begin a format.
    options: dict[str, Any] = {"dest": setting.name, "default": None, "help": shown.replace("%", "%%")}
    if setting.kind is bool:
        return group.add_argument(setting.flag, action=argparse.BooleanOptionalAction, **options)
    if setting.is_repeated:
        options["action"] = _Number if setting.kind is dict else "append"
        return group.add_argument(setting.flag, metavar=setting.placeholder, **options)
    lists = {int: _whole_numbers, float: _numbers}
    kind: Any = lists[setting.item] if setting.kind is tuple else setting.kind
    return group.add_argument(setting.flag, type=kind, metavar=setting.placeholder, **options)


class _Number(argparse.Action):
    """Collects the options `--name TOKEN=X` as numbers by token; the token may have `=` in it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        name, _, number = values.rpartition("=")
        try:
            collected = {**(getattr(namespace, self.dest) or {}), name: float(number)}
        except ValueError:
            raise argparse.ArgumentError(self, f"{values!r} must be a token and a number, as the=-2.5") from None
        if not name:
            raise argparse.ArgumentError(self, f"{values!r} has no token before the =; write the=-2.5")
        setattr(namespace, self.dest, collected)


def shown_default(setting: Setting, varying: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the default for the help, as `fold; keep for char, byte`; empty if it is None."""
    if setting.default is None:
        return ""
    tokenizers: dict[str, list[str]] = {}
    for tokenizer, defaults in varying.items():
        value = written(defaults.get(setting.name, setting.default))
        if value != written(setting.default):
            tokenizers.setdefault(value, []).append(tokenizer)
    others = [f"{value} for {', '.join(names)}" for value, names in tokenizers.items()]
    empty = "none" if setting.is_repeated else "empty"
    return "; ".join([written(setting.default) or empty, *others])


def written(value: Any) -> str:
    """Returns a value as it is written on the command line; a switch is `on` or `off`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        return ",".join(f"{name}={number}" for name, number in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be whole numbers separated by commas, as 256,128") from None


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be numbers separated by commas, as 1,0.7") from None


def given(arguments: argparse.Namespace, settings: Iterable[Setting]) -> dict[str, Any]:
    """Returns the settings that the command line gives, by name."""
    values = {setting.name: getattr(arguments, setting.name, None) for setting in settings}
    return {name: value for name, value in values.items() if value is not None}


def add_sources(parser: argparse.ArgumentParser, stage: str) -> None:
    """Adds `--preset` and `--config`, which supply the settings that no option gives."""
    names = ", ".join(presets.names(stage))
    parser.add_argument("--preset", metavar="NAME", help=f"settings that go together: {names}; options override them")
    parser.add_argument(
        "--config", metavar="FILE",
        help="file of settings in TOML or JSON, or the manifest.json or run.json of an earlier dataset or run; "
        "options override it, and it overrides --preset",
    )  # fmt: skip
