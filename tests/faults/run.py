"""Tries faults of machines and hostile files, and prints a table of what was tried and what was survived.

    python -m tests.faults.run [--full] [--kind NAME] [--only WORDS] [--list]

A kind of fault is a module with a function `trials(full)`, which yields Trial objects: a share of them, or all. The
shares of all kinds together take less than 5 minutes on two cores. Each trial has a process and a folder of its own.
"""

import argparse
import importlib
import multiprocessing.connection
import os
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tests.faults.trial import Outcome, RunningTrial, Trial

KINDS = {
    "kills": "SIGKILL at every stage, then the same command again",
    "signals": "SIGTERM and SIGINT in every phase",
    "clusters": "processes of a cluster that are ended or do not fit together",
    "disk": "full disks and other faults of files",
    "two_at_once": "two commands in one folder",
    "tampering": "datasets whose fields were changed, with right checksums",
    "tampering_runs": "runs whose files were changed, with right checksums",
}


class _Result(NamedTuple):
    kind: str
    trial: Trial
    outcome: Outcome


def main(package: str = "tests.faults", kinds: Mapping[str, str] = KINDS, description: str | None = __doc__) -> None:
    """Parses the words of the command, tries faults, and ends the process.

    Args:
        package: package of the modules of the kinds.
        kinds: a description of each kind.
        description: help of the command.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="try all, not a share of a few minutes")
    parser.add_argument("--kind", choices=kinds, action="append", help="try faults of this kind alone (repeatable)")
    parser.add_argument("--only", default="", help="try those alone whose name contains this text")
    parser.add_argument("--list", action="store_true", help="print the names of the trials instead")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="number of trials at a time")
    arguments = parser.parse_args()
    chosen = [
        (kind, trial)
        for kind in arguments.kind or kinds
        for trial in importlib.import_module(f"{package}.{kind}").trials(arguments.full)
        if arguments.only in trial.name
    ]
    if arguments.list:
        print("\n".join(f"{kind}: {trial.name}" for kind, trial in chosen))
        return
    results = []
    for result in _results(chosen, arguments.workers):
        results.append(result)
        _show(result)
    print(_table(results, kinds))
    sys.exit(any(result.outcome.failure for result in results) or not results)


def _results(chosen: list[tuple[str, Trial]], workers: int) -> Iterator[_Result]:
    """Yields each trial's result as it ends, with at most `workers` at a time."""
    waiting = list(reversed(chosen))
    running: dict[RunningTrial, tuple[str, Trial]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            kind, trial = waiting.pop()
            running[RunningTrial(trial)] = (kind, trial)
        ready = multiprocessing.connection.wait([each.connection for each in running], timeout=1.0)
        for each in [each for each in running if each.connection in ready or each.is_late]:
            kind, trial = running.pop(each)
            yield _Result(kind, trial, each.end())


def _show(result: _Result) -> None:
    outcome = result.outcome
    word = "FAILED" if outcome.failure else "not tried" if outcome.skipped else "survived"
    print(f"{result.kind}: {result.trial.name}: {word} ({outcome.seconds:.1f} s)", flush=True)
    if outcome.failure or outcome.skipped:
        print(f"    {(outcome.failure or outcome.skipped or '').strip()}".replace("\n", "\n    "), flush=True)


def _table(results: list[_Result], kinds: Mapping[str, str]) -> str:
    rows = [("fault", "tried", "survived", "not tried here")]
    for kind, description in kinds.items():
        outcomes = [result.outcome for result in results if result.kind == kind]
        skipped = sum(outcome.skipped is not None for outcome in outcomes)
        tried = len(outcomes) - skipped
        survived = tried - sum(outcome.failure is not None for outcome in outcomes)
        rows.append((description, str(tried), str(survived), str(skipped)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


if __name__ == "__main__":
    main()
