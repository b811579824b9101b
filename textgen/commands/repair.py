"""Remake the files of a dataset that are missing or damaged."""

import argparse

from textgen.config.options import CommandParser
from textgen.console import printable, show


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.epilog = "Options of Apache Beam are passed on, as by `textgen prepare`."
    parser.add_argument("data", metavar="DIR", help="dataset: a folder or a URL; its input files are read again")


def run(arguments: argparse.Namespace) -> None:
    """Repairs a dataset and prints what was done about each problem."""
    from textgen.api.datasets import repair

    done = repair(arguments.data, beam_flags=arguments.beam_flags)
    for problem in done.made:
        show(f"remade: {printable(str(problem))}")
    for problem in done.removed:
        show(f"removed: {printable(str(problem))}")
    for problem in done.left:
        show(f"left unchanged, since it is not a file of the dataset: {printable(problem.file)}")
    if not any(done):
        show("nothing to repair")


def kept(arguments: argparse.Namespace) -> str:
    """Returns what is left of the work of a command that failed, and how to go on."""
    return "Finished work is kept; run the same command again to continue."
