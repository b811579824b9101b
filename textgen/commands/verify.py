"""Check every file of a dataset against its manifest, and with --leaks its splits against each other."""

import argparse
from typing import TYPE_CHECKING

from textgen.config.options import CommandParser

if TYPE_CHECKING:
    from textgen.dataset.storage.contamination import Contamination, OverlapReport


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.epilog = (
        "The exit code is 1 if a file differs from the manifest, or if a held-out document is in another split too."
    )
    parser.add_argument("data", metavar="DIR", help="dataset: a folder or a URL")
    parser.add_argument(
        "--leaks", action="store_true", help="also measure how much of the held-out text occurs in other splits"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints one line per problem."""
    from textgen.console import say
    from textgen.dataset import read_manifest, verify

    problems = verify(arguments.data)
    for problem in problems:
        print(problem)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems):,} problems"
        say(f"{count}. `textgen repair {arguments.data}` mends what can be mended, and tells what to do else.")
        return 1
    total = read_manifest(arguments.data).total
    print(f"all well: {len(total.shards):,} shards, {sum(shard.bytes for shard in total.shards):,} bytes")
    return _report_leaks(arguments.data) if arguments.leaks else 0


def _report_leaks(data: str) -> int:
    from textgen.console import say
    from textgen.dataset.storage.contamination import GRAM, measure_contamination

    leaks = measure_contamination(data)
    print(f"held-out runs of {GRAM} tokens that training has too: {_told(leaks.grams)}")
    print(f"held-out documents that another split has too: {_told(leaks.documents)}")
    if not _shared_documents(leaks):
        return 0
    say("Their texts differ where tokens do not. Prepare again with --near-duplicates 0.8, which keeps one of them.")
    return 1


def _told(measure: "OverlapReport | str") -> str:
    if isinstance(measure, str):
        return f"not measurable, since {measure}"
    parts = [
        f"{split} {overlap.shared:,} of {overlap.found:,} ({overlap.shared / max(1, overlap.found):.2%})"
        for split, overlap in measure.overlaps.items()
    ]
    sample = f", in a sample of {measure.sampled_fraction:.2%}" if measure.sampled_fraction < 1 else ""
    return ", ".join(parts) + sample


def _shared_documents(leaks: "Contamination") -> int:
    if isinstance(leaks.documents, str):
        return 0
    return sum(overlap.shared for overlap in leaks.documents.overlaps.values())
