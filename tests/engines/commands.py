"""Runs `textgen prepare` on an engine as a user does, and kills processes meanwhile."""

import contextlib
import hashlib
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.engines.clusters import ROOT, Cluster

_SECONDS = 600.0
_POLL_SECONDS = 0.01


class Settings(NamedTuple):
    """Settings of a dataset.

    Attributes:
        corpus: file of one document per line.
        layout: the layout.
        tokenizer: the tokenizer.
        near: minimum similarity of documents of which one is dropped; 0 for none.
    """

    corpus: Path
    layout: str
    tokenizer: str
    near: float = 0.8

    @property
    def options(self) -> list[str]:
        """The options of `textgen prepare`."""
        return [
            "--input", str(self.corpus), "--format", "lines",
            "--layout", self.layout, "--tokenizer", self.tokenizer, "--window", "16", "--stride", "8",
            "--duplicates", "drop" if self.near else "keep", "--near-duplicates", str(self.near),
        ]  # fmt: skip


def make_corpus(path: Path, *, documents: int, size: int) -> Path:
    """Writes documents of random words, a twentieth of which repeats another one with a changed word.

    Args:
        documents: number of documents.
        size: size of the file in bytes, about.
    """
    chance = random.Random(documents)
    letters = "abcdefghijklmnopqrstuvwxyzäéøß"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(4_000)]
    per_document = size // documents // 7
    made = [" ".join(chance.choices(words, k=per_document)) for _ in range(documents * 19 // 20)]
    made += [f"{text} changed" for text in itertools.islice(itertools.cycle(made), documents - len(made))]
    path.write_text("\n".join(made) + "\n", encoding="utf-8")
    return path


def hashes(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file of a folder: the shards, the vocabulary, the manifest and all others."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Ended(NamedTuple):
    """The end of a command: its exit code, and what it wrote to standard error."""

    code: int
    errors: str

    @property
    def last_line(self) -> str:
        """The last line of what it wrote."""
        return (self.errors.strip().splitlines() or [""])[-1]


class Preparation:
    """A `textgen prepare` at work."""

    def __init__(self, cluster: Cluster, settings: Settings, output: Path):
        self._output = output
        command = [sys.executable, "-m", "textgen.cli", "prepare", *settings.options, "--output", str(output)]
        self.process = subprocess.Popen(
            [*command, *cluster.options],
            cwd=ROOT, env={**os.environ, **cluster.variables}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip

    def end(self) -> Ended:
        """Waits for the end."""
        try:
            errors = self.process.communicate(timeout=_SECONDS)[1]
        except subprocess.TimeoutExpired:
            self.kill_all()
            errors = f"{self.process.communicate()[1]}\nno end within {_SECONDS:g} seconds"
        return Ended(self.process.returncode, errors)

    def wait_for_results(self, number: int) -> bool:
        """Waits until workers have recorded results of so many units, over all stages; False if the command ended."""
        seen: set[Path] = set()
        while self.process.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                seen.update(self._output.glob("_work/*/*.json"))
            if len(seen) >= number:
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def kill_launcher(self) -> None:
        """Kills the command alone by SIGKILL."""
        self.process.kill()

    def kill_all(self) -> None:
        """Kills the command and the processes that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def kill_child(self, program: str) -> None:
        """Kills the process that the command has started with this program."""
        for child in _children(self.process.pid):
            if program in child.read_bytes().decode(errors="replace"):
                os.kill(int(child.parent.name), signal.SIGKILL)


def _children(process: int) -> Iterator[Path]:
    """Yields the file of the command line of each child of a process."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(") ")[2].split()[1]) == process:
                yield path.with_name("cmdline")


def prepare(cluster: Cluster, settings: Settings, output: Path) -> Ended:
    """Runs a preparation to its end."""
    preparation = Preparation(cluster, settings, output)
    try:
        return preparation.end()
    finally:
        # What stops this process does not reach the groups of others.
        preparation.kill_all()


def prepare_killed(
    cluster: Cluster, settings: Settings, output: Path, *, results: int, kill: Callable[[Preparation], None]
) -> tuple[Ended, int]:
    """Runs a preparation, kills something in the middle of it, and runs the same command again until it succeeds.

    Args:
        cluster: the engine.
        settings: settings of the dataset.
        output: folder of the dataset.
        results: number of results of units at which the kill comes.
        kill: kills something.

    Returns:
        The end of the last command, and the number of commands.

    Raises:
        AssertionError: the command ended before the kill.
    """
    first = Preparation(cluster, settings, output)
    try:
        assert first.wait_for_results(results), f"ended before the kill: {first.end()}"
        kill(first)
        ended = first.end()
    finally:
        first.kill_all()
    if ended.code == 0:
        return ended, 1
    assert "Traceback" not in ended.errors and "mistake" not in ended.errors, ended.errors
    return prepare(cluster, settings, output), 2
