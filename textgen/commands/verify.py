"""Check every file of a dataset against its manifest, and with --contamination its splits against each other."""

import argparse
from typing import TYPE_CHECKING

from textgen.config.options import CommandParser, add_former
from textgen.console import printable, say, show

if TYPE_CHECKING:
    from textgen.dataset.storage.contamination import Contamination, OverlapReport

USES_TENSORFLOW = False
"""Without its import, which takes seconds, the command starts at once."""


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.epilog = (
        "The exit code is 1 if a file differs from the manifest, or if a held-out document is in another split too."
    )
    parser.add_argument("data", metavar="DIR", help="dataset: a folder or a URL")
    contamination = parser.add_argument(
        "--contamination", action="store_true",
        help="also measure how much of the held-out text occurs in other splits",
    )  # fmt: skip
    add_former(parser, "leaks", contamination)


def run(arguments: argparse.Namespace) -> int:
    """Prints one line per problem."""
    from textgen.dataset import read_manifest, verify

    problems = verify(arguments.data)
    for problem in problems:
        show(printable(str(problem)))
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems):,} problems"
        say(f"{count}. `textgen repair {arguments.data}` repairs the files, or says what else to do.")
        return 1
    total = read_manifest(arguments.data).total
    show(f"no problems: {len(total.shards):,} shards, {sum(shard.bytes for shard in total.shards):,} bytes")
    return _report_contamination(arguments.data) if arguments.contamination else 0


def _report_contamination(data: str) -> int:
    """Prints how much of the held-out splits occurs in others; returns 1 if a whole document does."""
    from textgen.dataset import read_manifest
    from textgen.dataset.storage.contamination import GRAM, measure_contamination

    found = measure_contamination(data)
    show(f"held-out {GRAM}-grams that are in the training split too: {_written(found.grams)}")
    show(f"held-out documents that are in another split too: {_written(found.documents)}")
    if not _shared_documents(found):
        return 0
    if read_manifest(data).config.separates_equal_texts:
        say("Prepare again with --held-out-duplicates drop, which takes equal texts out of training.")
    else:
        say(
            "Their texts differ, but their tokens are the same. "
            "Prepare again with --near-duplicates 0.8, which keeps one of them."
        )
    return 1


def _written(report: "OverlapReport | str") -> str:
    if isinstance(report, str):
        return f"not measurable, since {report}"
    counts = [
        f"{split} {overlap.shared:,} of {overlap.found:,} ({overlap.shared / max(1, overlap.found):.2%})"
        for split, overlap in report.overlaps.items()
    ]
    sample = f", in a sample of {report.sampled_fraction:.2%}" if report.sampled_fraction < 1 else ""
    return ", ".join(counts) + sample


def _shared_documents(found: "Contamination") -> int:
    """Returns the number of held-out documents that are in another split too; 0 where it is not measurable."""
    if isinstance(found.documents, str):
        return 0
    return sum(overlap.shared for overlap in found.documents.overlaps.values())
