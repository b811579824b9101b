import os
import signal
import threading

import pytest
import tensorflow as tf

from textgen.errors import Interrupted, Terminated
from textgen.training.preemption import Agreement, StopRequest, agree, stop_requests
from textgen.training.strategy import Replicas


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_once_and_ends_what_does_not_want_to_wait(number: signal.Signals):
    before, request = signal.getsignal(number), StopRequest()
    with pytest.raises(KeyboardInterrupt), stop_requests(request):
        assert request.signal is None
        os.kill(os.getpid(), number)
        assert request.signal == number
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_ends_at_once_what_has_nothing_to_save(number: signal.Signals, error: type[BaseException]):
    request = StopRequest(can_save=False)
    with pytest.raises(KeyboardInterrupt) as stopped, stop_requests(request):
        os.kill(os.getpid(), number)
    assert (type(stopped.value), request.signal) == (error, None)


def test_signal_handlers_are_not_changed_in_another_thread():
    before, inside = signal.getsignal(signal.SIGTERM), []

    def look() -> None:
        request = StopRequest()
        with stop_requests(request):
            inside.append((request.signal, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert inside == [(None, before)]


class Cluster(Replicas):
    """Two processes that sum what they are given; the other one has received SIGTERM."""

    def sum_over_workers(self, values):
        other = [0, 0, 0, True, False] if self.is_chief else [8, 9.5, 0.25, True, False]
        return [float(ours + theirs) for ours, theirs in zip(values, other, strict=True)]


@pytest.mark.parametrize(("worker", "expected"), [(0, (5, 1.5, 0.5)), (1, (8, 9.5, 0.25))])
def test_processes_agree_on_the_chiefs_pace_and_time_and_on_any_signal(
    worker: int, expected: tuple[int, float, float]
):
    replicas = Cluster(tf.distribute.get_strategy(), worker=worker, workers=2)
    agreement = agree(replicas, steps=5, spent=1.5, time_used=0.5, request=StopRequest())
    assert agreement == (*expected, signal.SIGTERM)


def test_a_signal_interrupts_after_the_checkpoint_and_its_absence_does_not():
    Agreement(steps=1, spent=0, time_used=0, signal=None).raise_if_interrupted(3)
    with pytest.raises(Interrupted, match="stopped after step 1,003; a checkpoint is saved") as stopped:
        Agreement(steps=1, spent=0, time_used=0, signal=15).raise_if_interrupted(1003)
    assert stopped.value.signal == 15
