"""Remake the files of a dataset that are missing or damaged."""

import argparse
import sys

from textgen.config.options import CommandParser
from textgen.console import printable, show

MEMORY_REMEDY = "Close other programs, or use fewer workers, as with --direct_num_workers=1."
"""What to do when memory is short."""

USES_TENSORFLOW = False
"""It is imported where a text needs it."""


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.epilog = "Options of Apache Beam are passed on, as by `textgen prepare`."
    parser.usage = "textgen repair DIR [INPUT ...] [--yes] [options]"
    parser.add_argument("data", metavar="DIR", help="dataset: a folder or a URL; its input files are read again")
    parser.add_argument(
        "inputs", nargs="*", metavar="INPUT",
        help="the files, folders and globs that the dataset was made from (default: shows the files that it names)",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="read the input files that the dataset names, unasked")


def run(arguments: argparse.Namespace) -> None:
    """Repairs a dataset and prints what was done about each problem."""
    from textgen.api.datasets import repair

    done = repair(
        arguments.data,
        arguments.inputs,
        yes=arguments.yes,
        ask=_ask if sys.stdin and sys.stdin.isatty() else None,
        beam_flags=arguments.beam_flags,
    )
    for problem in done.made:
        show(f"remade: {printable(str(problem))}")
    for problem in done.removed:
        show(f"removed: {printable(str(problem))}")
    for problem in done.left:
        show(f"left unchanged, since it is not a file of the dataset: {printable(problem.file)}")
    if not any(done):
        show("nothing to repair")


def _ask(question: str) -> bool:
    """Asks a person at the terminal."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except UnicodeDecodeError:
        return False


def kept(arguments: argparse.Namespace) -> str:
    """Returns what is left of the work of a command that failed, and how to continue."""
    return "Finished work is kept; run the same command again to continue."
