"""Prepares datasets on each engine, kills processes of the engines meanwhile, and compares every byte.

    python -m tests.engines.run [--full] [--only NAME] [--kills N] [--seed N]

Each engine is a real one: servers and workers are processes of their own on this machine. What each makes is compared
with what Beam's embedded engine makes with one worker: every shard, the vocabulary and the manifest, by SHA-256. An
engine that this machine can't have is reported as not run, with the reason.
"""

import argparse
import contextlib
import itertools
import platform
import random
import shutil
import sys
import tempfile
import time
from datetime import date
from functools import partial
from pathlib import Path

import apache_beam

from tests.engines.clusters import CLUSTERS, Cluster, embedded
from tests.engines.commands import Preparation, Settings, hashes, make_corpus, prepare, prepare_killed
from tests.engines.installation import NotInstalled

KILLED = ("Spark", "Flink", "Prism")
"""Engines under which processes are killed."""

_FULL_ALONE = ("Spark, speculation",)
"""Engines that are left to `--full`."""

_SHARE_KILLS, _ALL_KILLS = 1, 20
_RESULTS = 10
"""Number of results of units at which a kill comes at the latest; the smallest corpus gives about 12."""


class Report:
    """What came of all trials."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, str]] = {}
        self.kills: list[tuple[str, str]] = []
        self.not_run: dict[str, str] = {}

    @property
    def failures(self) -> int:
        """Number of trials that failed."""
        cells = [cell for row in self.rows.values() for cell in row.values()]
        return sum("FAILED" in cell for cell in cells) + sum("FAILED" in outcome for _, outcome in self.kills)

    @property
    def passed(self) -> int:
        """Number of trials that succeeded."""
        return sum(map(len, self.rows.values())) + len(self.kills) - self.failures

    def show(self) -> None:
        """Prints tables, as in docs/engines.md."""
        engines = [name for name in CLUSTERS if any(name in row for row in self.rows.values())]
        print(f"\n{date.today()}, Python {platform.python_version()}, Apache Beam {apache_beam.__version__}\n")
        _print_row("corpus, layout, tokenizer", *engines)
        _print_row("---", *("---" for _ in engines))
        for settings, cells in self.rows.items():
            _print_row(settings, *(cells.get(name, "") for name in engines))
        print()
        for kind, outcomes in itertools.groupby(sorted(self.kills), key=lambda kill: kill[0]):
            found = [outcome for _, outcome in outcomes]
            again = sum("same command again" in outcome for outcome in found)
            survived = sum("FAILED" not in outcome for outcome in found)
            print(
                f"{kind}: {survived} of {len(found)} survived with the same bytes, {again} by the same command again"
            )
        for name, reason in self.not_run.items():
            print(f"not run: {name}: {reason}")
        print(f"\n{self.passed} passed, {self.failures} failed, {len(self.not_run)} skipped")


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--full", action="store_true", help="try all settings on two corpora, and 20 kills per engine"
    )
    parser.add_argument("--only", default="", help="engines whose name contains this text")
    parser.add_argument(
        "--kills", type=int, help=f"number of kills per engine (default {_SHARE_KILLS}, or {_ALL_KILLS})"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the moments of the kills")
    arguments = parser.parse_args()
    kills = arguments.kills if arguments.kills is not None else _ALL_KILLS if arguments.full else _SHARE_KILLS
    report = Report()
    with tempfile.TemporaryDirectory(prefix="textgen-engines-") as name:
        folder = Path(name)
        table = _settings(folder, arguments.full)
        expected = {settings: _expected(settings, folder / "expected") for settings in table}
        for engine, start in CLUSTERS.items():
            if arguments.only.lower() not in engine.lower() or not arguments.full and engine in _FULL_ALONE:
                continue
            (folder / "cluster").mkdir()
            try:
                with start(folder / "cluster") as cluster:
                    for settings in table:
                        _compare(engine, cluster, settings, expected[settings], folder / "data", report)
                    if engine in KILLED:
                        _kill(
                            engine,
                            cluster,
                            table[0],
                            expected[table[0]],
                            folder / "data",
                            report,
                            kills,
                            arguments.seed,
                        )
            except NotInstalled as reason:
                report.not_run[engine] = str(reason)
                print(f"{engine}: not run: {reason}", flush=True)
            shutil.rmtree(folder / "cluster")
    report.show()
    sys.exit(report.failures > 0 or not report.passed)


def _settings(folder: Path, full: bool) -> list[Settings]:
    if not full:
        tiny = make_corpus(folder / "tiny.txt", documents=500, size=250_000)
        return [Settings(tiny, "spans", "word", near=0)]
    small = make_corpus(folder / "small.txt", documents=1_000, size=500_000)
    large = make_corpus(folder / "large.txt", documents=10_000, size=20_000_000)
    combinations = itertools.product((small, large), ("spans", "pairs"), ("word", "char", "bpe"))
    return [Settings(*combination) for combination in combinations]


def _expected(settings: Settings, output: Path) -> dict[str, str]:
    with embedded(output) as cluster:
        ended = prepare(cluster, settings, output)
    assert ended.code == 0, ended.errors
    found = hashes(output)
    shutil.rmtree(output)
    return found


def _name(settings: Settings) -> str:
    size = settings.corpus.stat().st_size
    return f"{size / 1e6:.1f} MB, {settings.layout}, {settings.tokenizer}"


def _compare(
    engine: str, cluster: Cluster, settings: Settings, expected: dict[str, str], output: Path, report: Report
) -> None:
    begun = time.monotonic()
    ended = prepare(cluster, settings, output)
    failure = _failure(ended.code, ended.last_line, output, expected)
    seconds = time.monotonic() - begun
    cell = failure or ", ".join(filter(None, ("same", f"{seconds:.0f} s", cluster.note())))
    report.rows.setdefault(_name(settings), {})[engine] = cell
    print(f"{engine}: {_name(settings)}: {cell}", flush=True)
    shutil.rmtree(output, ignore_errors=True)


def _failure(code: int, line: str, output: Path, expected: dict[str, str]) -> str:
    if code:
        return f"FAILED: exit code {code}: {line}"
    found = hashes(output)
    differ = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    return f"FAILED: {len(differ)} files differ: {', '.join(differ[:3])}" if differ else ""


def _kill(
    engine: str,
    cluster: Cluster,
    settings: Settings,
    expected: dict[str, str],
    output: Path,
    report: Report,
    kills: int,
    seed: int,
) -> None:
    """Kills a worker or server of the engine, then the command itself, at random moments."""
    chance = random.Random(f"{engine} {seed}")
    kinds = ["worker" if cluster.workers else "server"] * max(1, kills - max(1, kills // 4)) + ["command"] * max(
        1, kills // 4
    )
    for number, kind in enumerate(kinds[:kills]):
        moment, victim = chance.randint(1, _RESULTS), chance.randrange(2)
        kill = partial(_kill_one, cluster, kind, victim)
        try:
            ended, commands = prepare_killed(cluster, settings, output, results=moment, kill=kill)
            outcome = _failure(ended.code, ended.last_line, output, expected)
            outcome = outcome or ("same command again" if commands > 1 else "ended by itself")
        except AssertionError as failure:
            outcome = f"FAILED: {failure}"
        report.kills.append((f"{engine}, {kind} killed", outcome))
        print(f"{engine}: kill {number + 1}: the {kind} at result {moment}: {outcome}", flush=True)
        shutil.rmtree(output, ignore_errors=True)


def _kill_one(cluster: Cluster, kind: str, victim: int, preparation: Preparation) -> None:
    if kind == "command":
        preparation.kill_launcher()
    elif cluster.workers:
        cluster.workers[victim].kill()
        cluster.workers[victim].start()
    else:
        preparation.kill_child(cluster.program)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
