import functools
import multiprocessing.connection
import time
from pathlib import Path

import pytest

from tests.faults.trial import CannotTry, Outcome, RunningTrial, Trial


def _outcome(trial: Trial) -> Outcome:
    running = RunningTrial(trial)
    while not running.is_late and not multiprocessing.connection.wait([running.connection], timeout=0.05):
        pass
    return running.end()


def _write_and(action: str, folder: Path) -> None:
    assert not list(folder.iterdir())
    (folder / "file").touch()
    if action == "wait":
        time.sleep(60)
    if action == "skip":
        raise CannotTry("no mounts")
    assert action != "fail", "nine"


def test_trial_that_ends_is_survived() -> None:
    outcome = _outcome(Trial("end", functools.partial(_write_and, "end")))
    assert (outcome.failure, outcome.skipped) == (None, None)


def test_failure_is_reported_with_its_traceback() -> None:
    failure = _outcome(Trial("fail", functools.partial(_write_and, "fail"))).failure
    assert failure and failure.startswith("Traceback") and "AssertionError: nine" in failure


@pytest.mark.parametrize(
    "action, failure, skipped", [("skip", None, "no mounts"), ("wait", "no end in 0.5 seconds", None)]
)
def test_trial_without_result(action: str, failure: str | None, skipped: str | None) -> None:
    outcome = _outcome(Trial(action, functools.partial(_write_and, action), seconds=20 if action == "skip" else 0.5))
    assert (outcome.failure, outcome.skipped) == (failure, skipped)
