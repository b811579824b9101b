"""Commands in processes of their own, forked from a server that has imported TensorFlow and Beam once for them."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from textgen.console import import_tensorflow

import_tensorflow()

import tensorflow as tf  # noqa: E402

import pipelines.prepare  # noqa: E402, F401 - The server shall have what the commands import.
from textgen import cli  # noqa: E402
from textgen.api import sampler  # noqa: E402
from textgen.commands import train  # noqa: E402, F401
from textgen.config import GenerationConfig  # noqa: E402
from textgen.generation.writer import Continuation  # noqa: E402
from textgen.training import step  # noqa: E402
from textgen.training.callbacks.curves import Curves  # noqa: E402

# A process that has begun to use TensorFlow can't be forked; the server only imports it.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


class Command:
    """A `textgen` command in a process of its own, and what it writes to the terminal. A training draws nothing."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        *,
        devices: int = 1,
        before: list[str] | None = None,
        kill_after: int | None = None,
        samples: bool = True,
        **environment: str,
    ):
        """Starts the command.

        Args:
            command: words of the command.
            log: file for all that the command prints.
            devices: number of CPU devices of the process.
            before: words of a command that the same process runs to its end first.
            kill_after: number of steps of the command after which the process kills itself, before anything of them
                is written.
            samples: whether validations sample text.
            environment: environment variables.
        """
        self._log = log
        log.touch()
        arguments = (command, log, devices, before, kill_after, samples, environment)
        self.process: BaseProcess = _FORKS.Process(target=_run, args=arguments)
        self.process.start()

    def wait(self) -> int:
        """Waits for the end, and returns the exit code; minus the number of the signal that killed the process."""
        self.process.join(timeout=300)
        assert self.process.exitcode is not None, f"still at work after 300 seconds: {self.printed}"
        return self.process.exitcode

    @property
    def is_running(self) -> bool:
        """Whether the command has not ended."""
        return self.process.is_alive()

    @property
    def printed(self) -> str:
        """All that the command has printed so far."""
        return self._log.read_text(encoding="utf-8")

    def send_signal(self, number: int) -> None:
        """Sends a signal."""
        assert self.process.pid
        os.kill(self.process.pid, number)


class _Silent:
    """In place of a writer, whose graph takes seconds to trace: writes empty texts."""

    def __init__(self, *arguments: Any, **settings: Any):
        pass

    def write(self, prompts: Sequence[str], settings: GenerationConfig) -> list[Continuation]:
        return [Continuation(prompt="", text="", tokens=(), log_probabilities=(), reason="end")]


def _run(
    command: list[str],
    log: Path,
    devices: int,
    before: list[str] | None,
    kill_after: int | None,
    samples: bool,
    environment: dict[str, str],
) -> None:
    with log.open("wb") as file:
        for terminal in (sys.stdout, sys.stderr):
            terminal.flush()
            os.dup2(file.fileno(), terminal.fileno())
    os.environ.update(environment)
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    # A picture takes longer than the steps that it is of.
    Curves.on_check = lambda curves, check: None  # type: ignore[method-assign]
    if not samples:
        sampler.Writer = _Silent  # type: ignore[assignment, misc]
    if before is not None and (code := cli.main(before)):
        sys.exit(code)
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
