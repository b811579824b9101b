"""Trials of SIGTERM and SIGINT: a command ends within seconds, and goes on from what it saved when called again."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.faults import phases
from tests.faults.commands import again, make_corpus, prepare_words, run, train_words
from tests.faults.phases import PHASES
from tests.faults.trial import Trial
from textgen import runs

_SECONDS = 600.0
_SHARD = "train-000000.tfrecord"
_END_SECONDS = 10.0
_CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}

START = "from textgen.cli import main; main()"
"""The command as it is installed: it handles signals of its process."""

PREPARED: dict[str, Callable[[Path], bool]] = {
    "imports": lambda data: True,
    "first pass": lambda data: data.exists(),
    "while shards are written": lambda data: any(data.glob("*.tfrecord")),
    "before the manifest": lambda data: (data / "vocabulary.jsonl").exists(),
}
"""Whether a preparation is where the signal strikes, given its folder."""

REPAIRED: dict[str, Callable[[Path], bool]] = {
    "imports": lambda data: True,
    "first pass": lambda data: (data / "_work" / "tokens").exists(),
    "while shards are written": lambda data: (data / "_work" / "tokens" / "000000.json").exists(),
    "after the shard": lambda data: (data / _SHARD).exists(),
}
"""Whether a repair is where the signal strikes, given its folder."""

TRAINED = ("imports", *PHASES, "later step")

_OVER = ("before the manifest", "after the shard", "shutdown")
"""Phases that may be over before the signal comes."""

_PREPARED_SHARE = (("while shards are written", signal.SIGTERM),)
_TRAINED_SHARE = (("checkpoint", signal.SIGINT),)


class Stopped(NamedTuple):
    """The end of a command after a signal.

    Attributes:
        code: exit code.
        errors: all that it wrote to standard error.
        was_sent: whether the signal was sent before the command had ended.
        seconds: time from the signal to the end.
    """

    code: int
    errors: str
    was_sent: bool
    seconds: float


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; a share of them unless `full`."""
    for number in _CODES:
        name = signal.Signals(number).name
        for stage in PREPARED:
            if full or (stage, number) in _PREPARED_SHARE:
                yield Trial(f"prepare, {stage}, {name}", functools.partial(_try_prepare, stage, number), _SECONDS)
        for stage in REPAIRED if full else ():
            yield Trial(f"repair, {stage}, {name}", functools.partial(_try_repair, stage, number), _SECONDS)
        for stage in TRAINED:
            if full or (stage, number) in _TRAINED_SHARE:
                yield Trial(f"train, {stage}, {name}", functools.partial(_try_train, stage, number), _SECONDS)


def _try_prepare(stage: str, number: int, folder: Path) -> None:
    words, data = prepare_words(make_corpus(folder), folder / "data"), folder / "data"
    ended = stop(["-c", START, *words], functools.partial(PREPARED[stage], data), number)
    require_end(ended, number, may_be_over=stage in _OVER)
    assert run(words).code == 0
    assert run(["verify", str(data)]).code == 0


def _try_repair(stage: str, number: int, folder: Path) -> None:
    data, words = folder / "data", ["repair", str(folder / "data"), "--yes"]
    # As installed: `run` divides the corpus into other units.
    _call(prepare_words(make_corpus(folder), data))
    (data / _SHARD).unlink()
    ended = stop(["-c", START, *words], functools.partial(REPAIRED[stage], data), number)
    require_end(ended, number, may_be_over=stage in _OVER)
    _call(words)
    _call(["verify", str(data)])


def _try_train(stage: str, number: int, folder: Path) -> None:
    assert run(prepare_words(make_corpus(folder), folder / "data")).code == 0
    words, output, mark = train_words(folder / "data", folder / "run"), folder / "run", folder / "mark"
    if stage in PHASES:
        ended = stop(["-m", phases.__name__, stage, str(mark), *words], mark.exists, number)
    else:
        ended = stop(["-c", START, *words], lambda: stage == "imports" or bool(_steps(output)), number)
    require_end(ended, number, may_be_over=stage in _OVER)
    kept = _steps(output)
    went_on = run(again(words))
    assert went_on.code == 0, went_on
    assert _steps(output)[0] >= max(kept, default=0)


def stop(words: list[str], is_due: Callable[[], bool], number: int, **environment: str) -> Stopped:
    """Sends a signal to a command as soon as it is due, and waits for the end of the command.

    Args:
        words: what follows `python`.
        is_due: function that tells whether the signal is due.
        number: number of the signal.
        environment: environment variables of the process.
    """
    process = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, **environment}, preexec_fn=_heed_interrupts,
    )  # fmt: skip
    _wait_for_handlers(process)
    while process.poll() is None and not is_due():
        time.sleep(0.001)
    was_sent, begun = process.poll() is None, time.monotonic()
    process.send_signal(number)
    errors = process.communicate()[1]
    ended = Stopped(process.returncode, errors, was_sent, time.monotonic() - begun)
    # Left-over processes of the command belong to its group.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(f"processes are left: {ended}")
    return ended


def _heed_interrupts() -> None:
    # A shell lets its background jobs ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait_for_handlers(process: "subprocess.Popen[str]") -> None:
    """Waits until the command handles SIGTERM: before, Python itself has not started."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        caught = status.read_text().partition("SigCgt:")[2].split()
        if caught and int(caught[0], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.01)


def require_end(ended: Stopped, number: int, *, may_be_over: bool = False) -> None:
    """Checks that a command has ended in time by a signal, with a line.

    Args:
        ended: the end of the command.
        number: number of the signal.
        may_be_over: whether its work may have been done before the signal came.
    """
    assert ended.code == _CODES[signal.Signals(number)] or (may_be_over and ended.code == 0), ended
    assert ended.seconds < _END_SECONDS, ended
    assert "Traceback" not in ended.errors, ended
    assert ended.code == 0 or ended.errors.strip(), ended


def _call(words: list[str]) -> None:
    """Runs a command as it is installed."""
    called = subprocess.run([sys.executable, "-c", START, *words], capture_output=True, text=True)
    assert called.returncode == 0, called


def _steps(output: Path) -> list[int]:
    """Returns the steps of a run's checkpoints, the newest first."""
    return [int(path.name.rpartition("-")[2]) for path in runs.checkpoints_in(output / runs.LAST)]
