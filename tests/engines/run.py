"""Prepares datasets on each engine, kills processes of the engines meanwhile, and compares every byte.

    python -m tests.engines.run [--ci | --full] [--only NAME] [--settings TEXT] [--kills N] [--seed N]

Each engine is a real one: servers and workers are processes of their own on this machine. What each makes is compared
with what one thread of a command makes: every shard, the vocabulary and the manifest, by SHA-256. An engine that this
machine can't have is reported as not run, with the reason.
"""

import argparse
import contextlib
import itertools
import platform
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from datetime import date
from functools import partial
from pathlib import Path

import apache_beam

from tests.engines.clusters import CLUSTERS, Cluster, local
from tests.engines.commands import Ended, Preparation, Settings, hashes, make_corpus, prepare, prepare_killed
from tests.engines.installation import NotInstalled, WrongChecksum

KILLED = ("Spark", "Flink", "Prism")
"""Engines under which processes are killed."""

_IN_CI = ("local, 2 threads", "embedded, 2 threads", "Prism", "Spark", "Flink")
"""Engines that are tried by every change of the project."""

_FULL_ALONE = ("local, 1 thread", "Spark, speculation")
"""Engines that are left to `--full`."""

_SHARE_KILLS, _ALL_KILLS = 1, 13
_COMMAND_EVERY = 4
"""Of so many kills one is that of the command, so that `--full` kills ten workers of each cluster."""

_RESULTS = 10
"""Number of results of units at which a kill comes at the latest; the smallest corpus gives about 12."""


class Report:
    """What came of all trials."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
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
        """Prints tables, as in docs/engines/index.md."""
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
        seconds, used = time.monotonic() - self._begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor time")
        print(f"\n{self.passed} passed, {self.failures} failed, {len(self.not_run)} skipped")


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--full", action="store_true", help=f"try all settings on two corpora, and {_ALL_KILLS} kills per engine"
    )
    parser.add_argument("--ci", action="store_true", help=f"try these engines alone: {'; '.join(_IN_CI)}")
    parser.add_argument("--corpus", choices=("small", "large"), help="with --full, one corpus alone")
    parser.add_argument("--only", default="", help="engines whose name contains this text")
    parser.add_argument(
        "--settings", action="append", help='datasets whose name contains this text, as "MB, pairs, bpe" (repeatable)'
    )
    parser.add_argument(
        "--kills", type=int, help=f"number of kills per engine (default {_SHARE_KILLS}, or {_ALL_KILLS})"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the moments of the kills")
    arguments = parser.parse_args()
    kills = arguments.kills if arguments.kills is not None else _ALL_KILLS if arguments.full else _SHARE_KILLS
    # So that clusters are ended before this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report()
    # What came of the trials that ended is worth the most when hours of them were stopped.
    with contextlib.ExitStack() as at_end, tempfile.TemporaryDirectory(prefix="textgen-engines-") as name:
        at_end.callback(report.show)
        folder = Path(name)
        table = _settings(folder, arguments.full, arguments.corpus)
        table = [each for each in table if any(text in _name(each) for text in arguments.settings or [""])]
        expected = {settings: _expected(settings, folder / "expected") for settings in table}
        for engine in _engines(arguments):
            _try(engine, expected, folder, report, kills=kills, seed=arguments.seed)
    sys.exit(report.failures > 0 or not report.passed)


def _engines(arguments: argparse.Namespace) -> list[str]:
    engines = [name for name in CLUSTERS if arguments.only.lower() in name.lower()]
    if arguments.ci:
        return [name for name in engines if name in _IN_CI]
    return [name for name in engines if arguments.full or name not in _FULL_ALONE]


def _try(
    engine: str, expected: dict[Settings, dict[str, str]], folder: Path, report: Report, *, kills: int, seed: int
) -> None:
    """Makes all datasets on an engine, and kills its processes while it makes the first of them again."""
    (folder / "cluster").mkdir()
    try:
        with CLUSTERS[engine](folder / "cluster") as cluster:
            trials = _Trials(engine, cluster, folder / "data", report)
            same = [trials.compare(settings, each) for settings, each in expected.items()]
            if engine in KILLED and all(same):
                trials.kill(*next(iter(expected.items())), kills=kills, seed=seed)
    except NotInstalled as reason:
        report.not_run[engine] = str(reason)
        print(f"{engine}: not run: {reason}", flush=True)
    except (TimeoutError, WrongChecksum) as failure:
        report.kills.append((f"{engine}, start", f"FAILED: {failure}"))
        print(f"{engine}: FAILED: {failure}", flush=True)
    shutil.rmtree(folder / "cluster")


def _settings(folder: Path, full: bool, corpus: str | None) -> list[Settings]:
    if not full:
        tiny = make_corpus(folder / "tiny.txt", documents=500, size=250_000)
        return [Settings(tiny, "spans", "word", near=0)]
    made = []
    if corpus != "large":
        made.append(make_corpus(folder / "small.txt", documents=1_000, size=500_000))
    if corpus != "small":
        made.append(make_corpus(folder / "large.txt", documents=10_000, size=20_000_000))
    return [Settings(*each) for each in itertools.product(made, ("spans", "pairs"), ("word", "char", "bpe"))]


def _expected(settings: Settings, output: Path) -> dict[str, str]:
    with local(output) as cluster:
        ended = prepare(cluster, settings, output)
    assert ended.code == 0, ended.errors
    found = hashes(output)
    shutil.rmtree(output)
    return found


def _name(settings: Settings) -> str:
    size = settings.corpus.stat().st_size
    return f"{size / 1e6:.1f} MB, {settings.layout}, {settings.tokenizer}"


class _Trials:
    """Trials of one engine, whose results are added to the report."""

    def __init__(self, engine: str, cluster: Cluster, output: Path, report: Report):
        self._engine, self._cluster, self._output, self._report = engine, cluster, output, report

    def compare(self, settings: Settings, expected: dict[str, str]) -> bool:
        """Makes a dataset, and returns whether it has the expected hashes."""
        begun = time.monotonic()
        ended = prepare(self._cluster, settings, self._output)
        failure = self._failure(ended, expected)
        seconds = time.monotonic() - begun
        cell = failure or ", ".join(filter(None, ("same", f"{seconds:.0f} s", self._cluster.note())))
        self._report.rows.setdefault(_name(settings), {})[self._engine] = cell
        print(f"{self._engine}: {_name(settings)}: {cell}", flush=True)
        shutil.rmtree(self._output, ignore_errors=True)
        return not failure

    def kill(self, settings: Settings, expected: dict[str, str], *, kills: int, seed: int) -> None:
        """Kills a worker or server of the engine, and every fourth time the command itself, at random moments."""
        chance = random.Random(f"{self._engine} {seed}")
        part = "worker" if self._cluster.workers else "server"
        for number in range(1, kills + 1):
            kind = "command" if number % _COMMAND_EVERY == 0 else part
            moment = chance.randint(1, _RESULTS)
            kill = partial(_kill_one, self._cluster, kind, chance.randrange(2))
            try:
                ended, commands = prepare_killed(self._cluster, settings, self._output, results=moment, kill=kill)
                outcome = self._failure(ended, expected)
                outcome = outcome or ("same command again" if commands > 1 else "ended by itself")
            except AssertionError as failure:
                outcome = f"FAILED: {failure}"
            self._report.kills.append((f"{self._engine}, {kind} killed", outcome))
            print(f"{self._engine}: kill {number}: the {kind} at result {moment}: {outcome}", flush=True)
            shutil.rmtree(self._output, ignore_errors=True)

    def _failure(self, ended: Ended, expected: dict[str, str]) -> str:
        if ended.code:
            return f"FAILED: exit code {ended.code}: {ended.last_line}"
        found = hashes(self._output)
        differ = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        return f"FAILED: {len(differ)} files differ: {', '.join(differ[:3])}" if differ else ""


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
