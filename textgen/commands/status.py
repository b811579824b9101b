"""Show the progress of a preparation: what is done, running and left, on this machine or elsewhere."""

import argparse
import json
import time
from typing import TYPE_CHECKING

from textgen.config.options import CommandParser
from textgen.console import printable, printable_json, show

if TYPE_CHECKING:
    from pipelines.progress_report import ProgressReport, StageReport

USES_TENSORFLOW = False

_MAX_ATTEMPTS = 10


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.epilog = "The exit code is 1 if the preparation was interrupted or has failed."
    parser.add_argument("output", metavar="OUTPUT", help="folder or URL of the dataset that is being prepared")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Prints the report, and returns the exit code.

    Raises:
        UserError: there is no preparation and no dataset in the folder.
    """
    from pipelines.progress_report import report_progress
    from textgen.files import expand_home

    report = report_progress(expand_home(arguments.output))
    if arguments.json:
        show(printable_json(json.dumps(report.to_json(), ensure_ascii=False, indent=1)))
    else:
        show("\n".join(_lines(report)))
    return 0 if report.state in ("complete", "running") else 1


def _lines(report: "ProgressReport") -> list[str]:
    by = f" by {report.holder.owner}" if report.holder and report.holder.owner else ""
    lines = [f"{printable(report.folder)}: {report.state}{by if report.state == 'running' else ''}"]
    if report.dataset:
        total = report.dataset.total
        pairs = ", ".join(f"{counts.pairs:,} in {split}" for split, counts in total.splits.items())
        lines.append(f"{len(report.dataset.units):,} units, {len(total.shards):,} shards; pairs: {pairs}")
    if report.job and report.state == "running":
        left = "" if report.seconds_left is None else f"; about {_duration(report.seconds_left)} left in this stage"
        lines.append(f"{printable(report.job.title)} on {printable(report.job.engine)}{left}")
    lines += map(_stage, report.stages)
    at_work = [each for each in report.attempts if not each.error]
    failed = [each for each in report.attempts if each.error]
    ended = "at work" if report.state == "running" else "cut off"
    now = time.time()
    for each in at_work[:_MAX_ATTEMPTS]:
        seconds = _duration(max(0.0, now - each.since))
        lines.append(f"{ended}  {each.label}, on {printable(each.host)}, begun {seconds} ago")
    lines += [f"failed   {each.label}: {printable(each.summary)}" for each in failed[:_MAX_ATTEMPTS]]
    more = max(0, len(at_work) - _MAX_ATTEMPTS) + max(0, len(failed) - _MAX_ATTEMPTS)
    if more:
        lines.append(f"and {more:,} more units")
    if report.state in ("interrupted", "failed"):
        lines.append("Run the same `textgen prepare` again: it continues.")
    return lines


def _stage(stage: "StageReport") -> str:
    units = f"{stage.done:,} of {stage.units:,} units done" if stage.units else f"{stage.done:,} units done"
    running = f", {stage.running:,} running" if stage.running else ""
    left = f", {stage.left:,} left" if stage.left else ""
    return f"{stage.title:<24}{stage.state:<13}{units}{running}{left}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
