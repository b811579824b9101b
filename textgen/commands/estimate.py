"""Estimate from a sample how many pairs a dataset will have, and the disk space and time that it takes."""

import argparse
import dataclasses
import json

from textgen.commands import prepare
from textgen.config.options import CommandParser
from textgen.console import printable, show

USES_TENSORFLOW = False
"""It is imported where a text needs it."""


def add_arguments(parser: CommandParser) -> None:
    """Adds the options of `prepare` that do not concern its output."""
    parser.usage = "textgen estimate --input PATH [PATH ...] [options]"
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    prepare.add_input_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Prints the estimate."""
    config = prepare.config_from(arguments)

    from textgen.api.datasets import estimate
    from textgen.dataset.storage.passed_over import shown_accounts

    found = estimate(
        arguments.input,
        config=config,
        validation_input=arguments.validation_input,
        test_input=arguments.test_input,
        vocabulary=arguments.vocabulary,
        tokenizer_model=arguments.tokenizer_model,
    )
    if arguments.json:
        values = dataclasses.asdict(found)
        values["layouts"] = {layout: values._asdict() for layout, values in found.layouts.items()}
        show(json.dumps(values, indent=1))
        return
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in found.dropped.items()) or "none"
    show(f"files       {shown_accounts(found.files, found.passed_over)}")
    show(f"input       {found.input_bytes:,} bytes, {found.sampled_bytes:,} of them sampled")
    show(f"documents   {found.documents:,}, dropped: {dropped}")
    if config.selection.duplicates == "drop" or config.selection.near_duplicates:
        show("            duplicates are not counted as dropped: a sample cannot find them")
    show(f"tokens      {found.tokens:,}")
    show(f"pairs       {found.pairs:,}")
    show(f"{'layout':<12}{'bytes on disk':>18}{'seconds here':>14}{'worker-hours':>14}")
    for layout, takes in found.layouts.items():
        show(f"{layout:<12}{takes.bytes:>18,}{takes.seconds:>14,.0f}{takes.worker_hours:>14.3f}")
    for warning in found.warnings:
        show(f"warning     {printable(warning)}")
