"""Hooks of the documentation's build: pages made from the parsers, the public names and the changelog."""

import argparse
import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages to the site.

    Raises:
        PluginError: If a public name, or a public method of one, has no docstring.
    """
    pages = {
        "reference/cli.md": command_line_page(),
        "reference/api.md": api_page(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def command_line_page() -> str:
    """Returns the reference of all commands and options as Markdown, read from the parsers."""
    from textgen.cli import COMMANDS
    from textgen.config.options import CommandParser

    lines = ["# Command line", "", "Every command also prints this with `--help`.", ""]
    for name in COMMANDS:
        command = importlib.import_module(f"textgen.commands.{name}")
        parser = CommandParser(prog=f"textgen {name}", allow_abbrev=False)
        command.add_arguments(parser)
        summary = (command.__doc__ or "").strip().split("\n")[0]
        lines += [f"## textgen {name}", "", escaped(summary), "", *option_tables(parser)]
        if parser.epilog:
            lines += [escaped(parser.epilog), ""]
    return "\n".join(lines)


def option_tables(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yields the Markdown lines of one table per group of options; hidden options are left out."""
    for group in parser._action_groups:
        actions = [a for a in group._group_actions if a.help != argparse.SUPPRESS and a.dest != "help"]
        if not actions:
            continue
        if group.title not in ("options", "positional arguments"):
            yield from (f"**{escaped(str(group.title)).capitalize()}**", "")
        yield from ("| option | meaning |", "|---|---|")
        for action in actions:
            yield f"| {option_text(action)} | {help_text(parser, action)} |"
        yield ""


def option_text(action: argparse.Action) -> str:
    """Returns an option as it is typed, with its metavar or choices."""
    value = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else None)
    if isinstance(value, tuple):
        value = " ".join(value)
    if action.nargs == 0:
        value = None
    elif value is None:
        value = action.dest.upper()
    if not action.option_strings:
        return f"`{value or action.dest}`"
    return ", ".join(
        f"`{string}{' ' + value if value else ''}`".replace("|", "\\|") for string in action.option_strings
    )


def help_text(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Returns the help of an option, its defaults filled in, safe inside a Markdown table."""
    text = parser._get_formatter()._expand_help(action) if action.help else ""
    return escaped(text).replace("|", "\\|").replace("\n", " ")


def escaped(text: str) -> str:
    """Returns text in which Markdown reads no emphasis, link or HTML."""
    for mark in "\\`*_<>[]":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return text


def api_page() -> str:
    """Returns the page of the Python API: a directive for each public name of each public package.

    Raises:
        PluginError: If a public name has no docstring.
    """
    from textgen.console import import_tensorflow

    import_tensorflow()
    lines = ["# Python API", ""]
    seen: set[str] = set()
    for package, title in (("textgen", "textgen"), ("textgen.dataset", "textgen.dataset")):
        module = importlib.import_module(package)
        names = [name for name in getattr(module, "__all__", ()) if not name.startswith("__")]
        documented = [name for name in names if is_documentable(getattr(module, name))]
        paths = {name: path_of(getattr(module, name)) for name in documented}
        require_docstrings((name, getattr(module, name)) for name in documented)
        new = {name: path for name, path in paths.items() if path not in seen}
        if new:
            lines += [f"## {title}", "", escaped((module.__doc__ or "").strip()), ""]
        for path in new.values():
            lines += [f"::: {path}", ""]
        seen |= set(paths.values())
    return "\n".join(lines)


def is_documentable(value: object) -> bool:
    """Returns whether a public value is a function or class, which have docstrings; constants have none."""
    return inspect.isclass(value) or inspect.isfunction(value)


def path_of(value: object) -> str:
    """Returns the dotted path at which a function or class is defined."""
    return f"{value.__module__}.{value.__qualname__}"  # type: ignore[attr-defined]


def require_docstrings(named: Iterable[tuple[str, object]]) -> None:
    """Raises PluginError if one of the values, or a public method or property of one, has no docstring of its own."""
    without = []
    for name, value in named:
        if not inspect.getdoc(value):
            without.append(name)
        if inspect.isclass(value):
            members = [m for m in vars(value) if not m.startswith("_")]
            kinds = (property, classmethod, staticmethod)
            without += [
                f"{name}.{m}"
                for m in members
                if (inspect.isfunction(vars(value)[m]) or isinstance(vars(value)[m], kinds))
                and not (vars(value)[m].__doc__ or getattr(getattr(value, m), "__doc__", None))
            ]
    if without:
        raise PluginError(
            f"public names without a docstring: {', '.join(without)}. Document them where they are defined."
        )
