"""Describes one trial of a fault, and tries it in a process of its own."""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

# A process that has begun to use TensorFlow can't be forked; the server only imports it, once for all trials.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.preloaded"])


class Trial(NamedTuple):
    """One fault at one place and time.

    Attributes:
        name: the fault, what it strikes and when, in few words; unique within its kind.
        run: tries it in an empty folder, and raises AssertionError where the promise is broken. It must be
            picklable: a function of a module, or functools.partial of one.
        seconds: limit of time; a trial that takes longer has failed.
    """

    name: str
    run: Callable[[Path], None]
    seconds: float = 120.0


class Outcome(NamedTuple):
    """What came of a trial; `failure` is the reason why it was not survived, or None.

    Attributes:
        skipped: why the trial can't be made on this machine, or None.
    """

    failure: str | None
    seconds: float
    skipped: str | None = None


class CannotTry(Exception):  # noqa: N818 - It is not an error.
    """The machine lacks what a trial needs, such as the right to mount a filesystem; the message names it."""


class RunningTrial:
    """A trial at work in a process of its own, which leads a group of processes.

    Attributes:
        connection: becomes ready when the trial has ended.
    """

    def __init__(self, trial: Trial) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="textgen-fault-"))
        self.connection, theirs = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=_try, args=(trial, self._folder, theirs))
        self._process.start()
        theirs.close()
        self._limit, self._begun = trial.seconds, time.monotonic()

    @property
    def is_late(self) -> bool:
        """Whether the trial takes longer than its limit."""
        return time.monotonic() - self._begun > self._limit

    def end(self) -> Outcome:
        """Returns what came of the trial, and removes its processes and files."""
        seconds = time.monotonic() - self._begun
        outcome = Outcome(f"no end in {self._limit:g} seconds", seconds)
        if self.connection.poll():
            try:
                failure, skipped = self.connection.recv()
                outcome = Outcome(failure, seconds, skipped)
            except EOFError:
                self._process.join()
                outcome = Outcome(f"the trial's process died with exit code {self._process.exitcode}", seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.join()
        shutil.rmtree(self._folder, ignore_errors=True)
        return outcome


def _try(trial: Trial, folder: Path, connection: Connection) -> None:
    os.setpgid(0, 0)
    failure = skipped = None
    try:
        trial.run(folder)
    except CannotTry as reason:
        skipped = str(reason)
    except BaseException:
        failure = traceback.format_exc()
    connection.send((failure, skipped))
    # At once: what a fault has left behind in the process, such as threads that wait, does not hold it back.
    os._exit(0)
