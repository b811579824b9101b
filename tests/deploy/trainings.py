"""Trainings of several processes as a cluster starts them, each in a process group of its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.faults.signals import START
from textgen import runs

SMALL = (
    "--embedding 4 --units 4 --batch-size 64 --epochs 100000 --validate-every 1000000 --checkpoint-minutes 0 --seed 3"
)
"""Settings of a training that never ends by itself, and saves a checkpoint as often as it may."""

COMMAND = [sys.executable, "-c", START]
_START_SECONDS = 240.0


class Training:
    """A process at work, and what it writes to standard error."""

    def __init__(self, command: Sequence[str], log: Path, **environment: str):
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=file, env={**os.environ, **environment},
                start_new_session=True,
            )  # fmt: skip

    @property
    def printed(self) -> str:
        """What it has written."""
        return self._log.read_text(errors="replace")

    @property
    def errors(self) -> list[str]:
        """Its lines that begin as those of errors do."""
        return [line for line in re.split(r"[\n\r]", self.printed) if line.startswith("error: ")]

    def end(self) -> None:
        """Ends it with what it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def started(*trainings: Training) -> Iterator[None]:
    """Ends trainings when the context is left."""
    try:
        yield
    finally:
        for training in trainings:
            training.end()


def step(run: Path) -> int:
    """Returns the step of the last checkpoint; 0 if there is none."""
    found = runs.checkpoints_in(run / runs.LAST)
    return int(found[0].name.rpartition("-")[2]) if found else 0


def wait_for_step(run: Path, after: int, trainings: Sequence[Training]) -> int:
    """Waits for a checkpoint after a step, and returns its step.

    Raises:
        AssertionError: a training has ended, or there is none in time.
    """
    wait(lambda: step(run) > after or any(each.process.poll() is not None for each in trainings))
    assert step(run) > after and all(each.process.poll() is None for each in trainings), [
        (each.process.poll(), each.printed) for each in trainings
    ]
    return step(run)


def wait(is_so: Callable[[], bool], seconds: float = _START_SECONDS) -> float:
    """Waits until something is so, at most `seconds`, and returns the seconds that it took."""
    begun = time.monotonic()
    while not is_so() and time.monotonic() - begun < seconds:
        time.sleep(0.1)
    return time.monotonic() - begun


def seconds_to_end(trainings: Sequence[Training], seconds: float) -> float:
    """Waits until all have ended, at most `seconds`, and returns the seconds that it took."""
    return wait(lambda: all(each.process.poll() is not None for each in trainings), seconds)
