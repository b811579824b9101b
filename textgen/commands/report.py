"""Write one HTML file about a dataset or a run, to look at in a browser."""

import argparse

from textgen.config.options import CommandParser
from textgen.console import printable, show

USES_TENSORFLOW = False
"""It is imported where a report needs it, as that of a run does."""


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen report DIR|RUN -o FILE [options]"
    parser.epilog = (
        "A dataset: lengths, tokens by rank, unknown tokens, dropped documents, duplicates, overlap of splits, "
        "mixing of batches, first pairs. A run: curves, learning rate, gradient and samples; with --data also loss "
        "by position and by token frequency, calibration, best and worst documents, and what is copied from the "
        "training text."
    )
    parser.add_argument("source", metavar="DIR|RUN", help="dataset: a folder or a URL; or folder of a run")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE",
        help="the file to write; an earlier report there is replaced, and no other file",
    )  # fmt: skip
    parser.add_argument("--data", metavar="DIR", help="of a run: its dataset, for what needs held-out text")
    parser.add_argument("--split", help="of a run with --data: split to read, test or validation (default: test)")


def run(arguments: argparse.Namespace) -> None:
    """Writes the report and prints where it is.

    Raises:
        UserError: there is no such dataset or run, it is damaged, or the file is another one.
        OSError: a file cannot be read or written.
    """
    from textgen.reporting.reports import report

    report(arguments.source, arguments.output, data=arguments.data, split=arguments.split)
    show(f"wrote {printable(arguments.output)}")
