"""Stopping on request: by Ctrl-C, or by a cloud that takes back its machine."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple

from textgen.errors import Interrupted
from textgen.training.strategy import Replicas

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether a signal has asked to stop.

    Attributes:
        signal: the signal; None if there was none.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def receive(self, number: int, frame: FrameType | None = None) -> None:
        """Handles a signal; the second one does not wait for a checkpoint.

        Raises:
            KeyboardInterrupt: a signal was received before.
        """
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Inside the context, SIGINT and SIGTERM set a flag instead of ending the process."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        # Python handles signals in the main thread only.
        yield request
        return
    before = {number: signal.signal(number, request.receive) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Agreement(NamedTuple):
    """Decisions that all processes share after a graph call.

    Attributes:
        steps: number of steps of the next graph call.
        time_is_up: whether the time limit is reached.
        signal: a signal that any process received; None if there was none.
    """

    steps: int
    time_is_up: bool
    signal: int | None

    def raise_if_interrupted(self, step: int) -> None:
        """Ends training after a checkpoint at `step`.

        Raises:
            Interrupted: a signal asked to stop.
        """
        if self.signal:
            raise Interrupted(
                f"stopped after step {step:,}; all that was done is saved. Give the same command with --resume, "
                "or resume=True in Python, to continue.",
                signal=self.signal,
            )


def agree(replicas: Replicas, *, steps: int, time_is_up: bool, request: StopRequest) -> Agreement:
    """Returns the same decisions in every process: the chief's steps and time limit, and any process's signal."""
    chief = replicas.is_chief
    received = [request.signal == number for number in SIGNALS]
    agreed_steps, agreed_time, *counts = replicas.sum_over_workers([chief * steps, chief and time_is_up, *received])
    signals = [number for number, count in zip(SIGNALS, counts, strict=True) if count]
    return Agreement(int(agreed_steps), bool(agreed_time), signals[0] if signals else None)
