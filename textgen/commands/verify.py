"""Every shard of a dataset against its manifest; exit code 1 if anything differs."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("data", type=Path, metavar="DIR", help="a dataset")


def run(arguments: argparse.Namespace) -> int:
    """Prints what is wrong, a line each."""
    from textgen.console import say
    from textgen.dataset import read_manifest, verify

    problems = verify(arguments.data)
    for problem in problems:
        print(problem)
    if problems:
        say(f"{len(problems)} problems. Delete the files named, then run the same `textgen prepare` again.")
        return 1
    total = read_manifest(arguments.data).total
    print(f"all well: {len(total.shards):,} shards, {sum(shard.bytes for shard in total.shards):,} bytes")
    return 0
