"""Makes again what `textgen verify` finds missing or damaged, and nothing else."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.epilog = "Any option of Apache Beam is passed on, as with `textgen prepare`."
    parser.add_argument("data", metavar="DIR", help="a dataset: a folder or a URL; its input files are read again")


def run(arguments: argparse.Namespace) -> None:
    """Repairs, then tells what was done about each problem."""
    from pipelines.repair import repair

    done = repair(arguments.data, arguments.beam_flags)
    for problem in done.made:
        print(f"made again: {problem}")
    for problem in done.removed:
        print(f"removed: {problem}")
    for problem in done.left:
        print(f"left as it is, since no preparation made it: {problem.file}")
    if not any(done):
        print("all well: nothing to repair")
