import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from textgen import termination

_START = """
import contextlib, os, signal, subprocess, sys, threading, time
from textgen import termination
from textgen.errors import Terminated
termination.GRACE_SECONDS = 0.3

def ready():
    print("ready", flush=True)
    time.sleep(60)

def command():
"""

_WAITS = """
    with contextlib.suppress(KeyboardInterrupt):
        ready()
    print("saved")
    return 143
"""

_IGNORES = """
    with contextlib.suppress(BaseException):
        ready()
    time.sleep(60)
"""

_SAVES = """
    with termination.saving():
        with termination.saving():
            pass
        with contextlib.suppress(KeyboardInterrupt):
            ready()
        time.sleep(0.8)
        print("saved", flush=True)
    time.sleep(60)
"""

_RAISES = """
    ready()
"""

_LEAVES = """
    print("ready", flush=True)
    threading.Thread(target=time.sleep, args=(60,)).start()
    sys.stdout.write("without a line end")
    return 3
"""

_HAS_A_CHILD = """
    child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(60)"])
    print("ready")
    print(child.pid, flush=True)
    time.sleep(60)
"""


_INTERRUPTED = "interrupted. Nothing was changed; run the same command again.\n"


def _start(body: str) -> "subprocess.Popen[str]":
    script = f"{_START}{body}\ntermination.run_process(command)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell lets its background jobs ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(
    "body, number, code, printed, told",
    [
        (_WAITS, signal.SIGTERM, 143, "saved\n", ""),
        (_IGNORES, signal.SIGTERM, 143, "", "ended 0.3 seconds after SIGTERM; what was saved before is kept.\n"),
        (_IGNORES, signal.SIGINT, 130, "", "ended 0.3 seconds after SIGINT; what was saved before is kept.\n"),
        (_SAVES, signal.SIGTERM, 143, "saved\n", "ended 0.3 seconds after SIGTERM; what was saved before is kept.\n"),
        (_RAISES, signal.SIGTERM, 143, "", _INTERRUPTED),
        (_RAISES, signal.SIGINT, 130, "", _INTERRUPTED),
    ],
    ids=["heeded", "not heeded", "Ctrl-C not heeded", "while saving", "not handled", "Ctrl-C not handled"],
)
def test_a_signal_ends_the_process(body: str, number: int, code: int, printed: str, told: str):
    process = _start(body)
    begun = time.monotonic()
    process.send_signal(number)
    assert (*process.communicate(timeout=20), process.returncode) == (printed, told, code)
    assert time.monotonic() - begun < 10


def test_a_process_ends_without_its_threads_and_prints_all():
    process = _start(_LEAVES)
    assert process.communicate(timeout=20) == ("without a line end", "")
    assert process.returncode == 3


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="child processes are found in /proc")
def test_child_processes_end_with_the_process():
    process = _start(_HAS_A_CHILD)
    assert process.stdout
    child = int(process.stdout.readline())
    process.terminate()
    assert process.wait(timeout=20) == 143
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}/stat").exists() and " Z " not in Path(f"/proc/{child}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_default_signal_handlers_are_set_inside_the_context_only():
    before = signal.getsignal(signal.SIGTERM)
    with termination.default_signals():
        assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) == before


def test_other_threads_leave_the_signal_handlers():
    inside = []

    def look() -> None:
        with termination.default_signals():
            inside.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert inside == [before]


def test_calls_before_the_end_are_made_whatever_they_raise() -> None:
    made: list[int] = []
    with pytest.raises(KeyError), termination.calls_before_end():
        termination.before_end(lambda: made.append(1))
        termination.before_end(lambda: 1 / 0)
        raise KeyError
    with termination.calls_before_end():
        termination.before_end(lambda: made.append(2))
    assert made == [1, 2]
