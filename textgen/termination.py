"""Ends the process of a command: at once when its work is done, and within seconds after a signal.

Python's and TensorFlow's own shutdown waits for threads and devices, on a busy machine for minutes, when everything
is already saved. Only the command line calls `run_process`; a library must not end the process of its caller.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from textgen.errors import Terminated

GRACE_SECONDS = 7.0
"""Time between a signal and the end of the process by force."""

SAVE_SECONDS = 120.0
"""Additional time for a checkpoint that is being written at the end of the grace time."""

_SAVING: list[None] = []
"""An entry per context of `saving` that is open, and one after `allow_draining`."""

_RECEIVED: list[int] = []

_BEFORE_END: list[Callable[[], object]] = []


@contextlib.contextmanager
def saving() -> Iterator[None]:
    """Inside the context, a signal gives the process `SAVE_SECONDS` more, since state is being written."""
    _SAVING.append(None)
    try:
        yield
    finally:
        _SAVING.pop()


def allow_draining() -> None:
    """From now on, a signal gives the process `SAVE_SECONDS` more, until it has ended its work by itself."""
    _SAVING.append(None)


@contextlib.contextmanager
def default_signals() -> Iterator[None]:
    """Inside the context, SIGINT and SIGTERM end the process as the operating system does, without Python.

    It is for calls of native code that block with the interpreter lock held, in which no Python handler would run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def before_end(call: Callable[[], object]) -> None:
    """Registers a function to call at the end of the command, since `run_process` skips `atexit`."""
    _BEFORE_END.append(call)


@contextlib.contextmanager
def calls_before_end() -> Iterator[None]:
    """At the end of the context, calls the functions that `before_end` registered."""
    try:
        yield
    finally:
        while _BEFORE_END:
            with contextlib.suppress(Exception):
                _BEFORE_END.pop()()


def received_signal() -> int | None:
    """Returns the number of the first signal that was raised in the command of this process, or None.

    Frameworks, and imports that are cut off, may raise an error of their own in place of that of the signal.
    """
    return _RECEIVED[0] if _RECEIVED else None


def run_process(command: Callable[[], int]) -> NoReturn:
    """Runs the command of this process, and ends the process with the exit code that it returns.

    SIGTERM raises `Terminated` in the command, as Ctrl-C raises KeyboardInterrupt. If the command has not ended
    `GRACE_SECONDS` after either, the process and its child processes are ended.

    Args:
        command: the work; it handles its own errors.
    """
    try:
        _watch_signals()
        code = command()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except (KeyboardInterrupt, BrokenPipeError) as stop:
        code = 1 if isinstance(stop, BrokenPipeError) else 143 if isinstance(stop, Terminated) else 130
        if code > 1:
            # The signal came before the command began its work; from then on the command reports it.
            with contextlib.suppress(Exception):
                print("interrupted. Nothing was changed; run the same command again.", file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    _end(code, flushed=(sys.stdout, sys.stderr))


def _watch_signals() -> None:
    """Starts the thread that ends the process if the command does not heed a signal."""
    received, written = os.pipe()
    os.set_blocking(written, False)
    # Native code may hold back Python's handlers; the wakeup descriptor is written at once.
    signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
        signal.signal(signal.SIGTERM, _raise_stop)
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _raise_stop)
    # The command may redirect standard error while it works.
    terminal = os.dup(2)
    threading.Thread(target=_end_after_signal, args=(received, terminal), daemon=True).start()


def _raise_stop(number: int, frame: FrameType | None) -> None:
    _RECEIVED.append(number)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _end_after_signal(received: int, terminal: int) -> None:
    number = 0
    while number not in (signal.SIGINT, signal.SIGTERM):
        number = os.read(received, 1)[0]
    time.sleep(GRACE_SECONDS)
    patience = time.monotonic() + SAVE_SECONDS
    while _SAVING and time.monotonic() < patience:
        time.sleep(0.05)
    name = signal.Signals(number).name
    with contextlib.suppress(OSError):
        os.write(terminal, f"ended {GRACE_SECONDS:g} seconds after {name}; what was saved before is kept.\n".encode())
    # Another thread may hold the lock of a stream that can't be written, so none is flushed.
    _end(128 + number, flushed=())


def _end(code: int, *, flushed: Iterable[TextIO]) -> NoReturn:
    """Ends the process without Python's shutdown; after a signal, ends its child processes too."""
    for stream in flushed:
        # A stream may be None, closed, or without a reader.
        with contextlib.suppress(Exception):
            stream.flush()
    if code > 128:
        for child in _descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
    os._exit(code)


def _descendants(process: int) -> list[int]:
    """Returns the ids of the processes that a process has started, and of those that they have started."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name of the program, in parentheses, may hold spaces.
            parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found = list(children.get(process, []))
    for child in found:
        found += children.get(child, [])
    return found
