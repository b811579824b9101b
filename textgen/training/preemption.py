"""Stops training on request: on Ctrl-C, or when a cloud provider preempts the machine."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple

from textgen.errors import Interrupted, Terminated
from textgen.training.strategy import Replicas

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Records the first signal that asks training to stop.

    Attributes:
        signal: the signal; None if none was received.
        can_save: whether there is something to save; if not, the first signal ends training at once.
    """

    def __init__(self, *, can_save: bool = True) -> None:
        self.signal: signal.Signals | None = None
        self.can_save = can_save

    def receive(self, number: int, frame: FrameType | None = None) -> None:
        """Records a signal; a second signal ends training without waiting for a checkpoint.

        Args:
            number: number of the signal.
            frame: interrupted stack frame; ignored.

        Raises:
            KeyboardInterrupt: a signal was already received, or there is nothing to save.
        """
        if self.signal is not None or not self.can_save:
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        self.signal = signal.Signals(number)


@contextlib.contextmanager
def stop_requests(request: StopRequest) -> Iterator[None]:
    """Inside the context, SIGINT and SIGTERM are recorded in a request instead of ending the process."""
    if threading.current_thread() is not threading.main_thread():
        # Python sets and runs signal handlers in the main thread only.
        yield
        return
    before = {number: signal.signal(number, request.receive) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Agreement(NamedTuple):
    """Decisions on which all processes agree after a graph call.

    Attributes:
        steps: number of steps of the next graph call.
        spent: seconds spent of the time limit.
        time_used: fraction of the time limit that will be used at the end of the next graph call.
        signal: number of a signal that any process received; None if none was received.
    """

    steps: int
    spent: float
    time_used: float
    signal: int | None

    def raise_if_interrupted(self, step: int) -> None:
        """Ends training after the checkpoint at `step` if a signal was received.

        Raises:
            Interrupted: a signal was received.
        """
        if self.signal:
            raise Interrupted(
                f"stopped after step {step:,}; a checkpoint is saved. To continue, run the same command with "
                "--resume, or use resume=True in Python.",
                signal=self.signal,
            )


def agree(
    replicas: Replicas, *, steps: int, request: StopRequest, spent: float = 0.0, time_used: float = 0.0
) -> Agreement:
    """Returns the same decisions in every process; all processes must call it.

    Args:
        replicas: devices and processes of the training.
        steps: number of steps of the next graph call; the chief's value is used.
        request: signals of this process; a signal of any process counts.
        spent: seconds spent of the time limit; the chief's value is used.
        time_used: fraction of the time limit that will be used after the next call; the chief's value is used.
    """
    chief = replicas.is_chief
    received = [request.signal == number for number in SIGNALS]
    of_chief = [chief * steps, chief * spent, chief * time_used]
    agreed_steps, agreed_spent, agreed_used, *counts = replicas.sum_over_workers([*of_chief, *received])
    signals = [number for number, count in zip(SIGNALS, counts, strict=True) if count]
    return Agreement(int(agreed_steps), agreed_spent, agreed_used, signals[0] if signals else None)
