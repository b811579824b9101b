"""Being asked to stop: by Ctrl-C, or by a cloud that takes its machine back."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
    """Whether a signal has asked to stop.

    Attributes:
        signal: which one; None so far.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def ask(self, number: int, frame: FrameType | None = None) -> None:
        """The handler of a signal. Whoever asks twice does not want to wait."""
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)


@contextlib.contextmanager
def interruption() -> Iterator[Interruption]:
    """Has SIGINT and SIGTERM ask, and does not end the process, as long as it is open."""
    asked = Interruption()
    if threading.current_thread() is not threading.main_thread():
        # Python handles signals there alone.
        yield asked
        return
    before = {number: signal.signal(number, asked.ask) for number in SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
