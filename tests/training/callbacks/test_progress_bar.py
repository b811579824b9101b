import time
from typing import Any

import pytest

from tests.training.callbacks.test_summary import make_plan
from textgen.training.callbacks import Progress
from textgen.training.callbacks.progress_bar import ProgressBar
from textgen.training.metrics import MetricSums

PROGRESS = Progress(
    step=6, steps=2, sums=MetricSums(loss=6.0, correct=1.0, pairs=4.0), seconds=2.0, learning_rate=0.1
)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({}, "loss 1.500, accuracy 25.0%, 2 pairs/s"),
        ({"has_accuracy": False}, "loss 1.500, 2 pairs/s"),
        ({"deadline": time.monotonic() - 1}, "2 pairs/s, stops in 0 s"),
    ],
)
def test_the_bar_shows_metrics_since_the_last_check(capfd, settings: dict[str, Any], shown: str):
    callback = ProgressBar()
    callback.on_start(make_plan(step=4, **settings))
    callback.on_progress(PROGRESS)
    callback.on_end()
    last = capfd.readouterr().err.split("\r")[-1]
    assert last.startswith("training:  60%")
    assert shown in last


def test_a_run_that_is_done_has_no_bar(capfd):
    callback = ProgressBar()
    callback.on_start(make_plan(is_done=True))
    callback.on_end()
    assert capfd.readouterr().err == ""
