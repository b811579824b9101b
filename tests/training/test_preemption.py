import os
import signal
import threading

import pytest

from textgen.training.preemption import interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_once_and_ends_what_does_not_want_to_wait(number: signal.Signals):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruption() as asked:
        assert asked.signal is None
        os.kill(os.getpid(), number)
        assert asked.signal == number
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_in_another_thread_signals_are_left_alone():
    before, inside = signal.getsignal(signal.SIGTERM), []

    def look() -> None:
        with interruption() as asked:
            inside.append((asked.signal, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert inside == [(None, before)]
