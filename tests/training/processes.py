"""Trainings in processes of their own, forked from a server that has imported TensorFlow once for all of them."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from textgen.console import import_tensorflow

import_tensorflow()

import tensorflow as tf  # noqa: E402

from textgen import cli  # noqa: E402
from textgen.commands import train  # noqa: E402, F401 - The server shall have what the command imports.
from textgen.training import step  # noqa: E402

# A process that has begun to use TensorFlow can't be forked; the server only imports it.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


class Training:
    """A `textgen` command in a process of its own, and what it writes to the terminal."""

    def __init__(
        self, command: list[str], log: Path, *, devices: int = 1, kill_after: int | None = None, **environment: str
    ):
        """Starts the command.

        Args:
            command: words of the command.
            log: file for all that the command prints.
            devices: number of CPU devices of the process.
            kill_after: number of steps after which the process kills itself, before anything of them is written.
            environment: environment variables.
        """
        self._log = log
        log.touch()
        arguments = (command, log, devices, kill_after, environment)
        self.process: BaseProcess = _FORKS.Process(target=_run, args=arguments)
        self.process.start()

    def wait(self) -> int:
        """Waits for the end, and returns the exit code; minus the number of the signal that killed the process."""
        self.process.join(timeout=300)
        assert self.process.exitcode is not None, f"still at work after 300 seconds: {self.printed}"
        return self.process.exitcode

    @property
    def printed(self) -> str:
        """All that the command has printed so far."""
        return self._log.read_text(encoding="utf-8")

    def send_signal(self, number: int) -> None:
        """Sends a signal."""
        assert self.process.pid
        os.kill(self.process.pid, number)


def _run(command: list[str], log: Path, devices: int, kill_after: int | None, environment: dict[str, str]) -> None:
    with log.open("wb") as file:
        for terminal in (sys.stdout, sys.stderr):
            terminal.flush()
            os.dup2(file.fileno(), terminal.fileno())
    os.environ.update(environment)
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    if kill_after is not None:
        step.training_steps = _killed_after(kill_after, step.training_steps)
    sys.exit(cli.main(command))


def _killed_after(steps: int, make_steps: Callable[..., step.Steps]) -> Callable[..., step.Steps]:
    """Returns `training_steps` whose steps kill the process as soon as more than `steps` are done."""

    def training_steps(*arguments: Any, **settings: Any) -> step.Steps:
        run_steps, done = make_steps(*arguments, **settings), 0

        def run(batches: Any, count: int, sums: Any) -> Any:
            nonlocal done
            done += count
            found = run_steps(batches, count, sums)
            if done > steps:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return run

    return training_steps
