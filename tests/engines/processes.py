"""Starts the processes of engines, each in a group of its own, and ends them."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def free_port() -> int:
    """Returns a port of this machine on which nothing listens."""
    with socket.create_server(("localhost", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    """Returns whether something listens on a port of this machine."""
    with contextlib.suppress(OSError):
        socket.create_connection(("localhost", port), timeout=1).close()
        return True
    return False


class Daemon:
    """A process of an engine, with the processes that it starts."""

    def __init__(self, command: list[str], log: Path, **variables: str):
        self._command, self._log = command, log
        self._variables = {**os.environ, **variables}
        self.start()

    def start(self) -> None:
        """Starts the process, again after it was killed."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._variables,
                start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """Ends the process and those of its group by SIGKILL, as a machine that loses power."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text(errors="replace")


@contextlib.contextmanager
def started(*daemons: Daemon) -> Iterator[None]:
    """Ends processes when the context is left."""
    try:
        yield
    finally:
        for daemon in daemons:
            daemon.kill()


def wait(is_ready: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Waits until something is so.

    Raises:
        TimeoutError: it is not, after `seconds`.
    """
    end = time.monotonic() + seconds
    while not is_ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(0.1)
