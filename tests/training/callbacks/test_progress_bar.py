from typing import Any

import pytest

from tests.training.callbacks.test_summary import make_plan
from textgen.training.callbacks import Progress
from textgen.training.callbacks.progress_bar import ProgressBar
from textgen.training.metrics import MetricSums

PROGRESS = Progress(
    step=6, steps=2, sums=MetricSums(loss=6.0, correct=1.0, pairs=4.0), seconds=2.0, learning_rate=0.1, spent=45.0
)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({}, "loss 1.500, accuracy 25.0%, 2 pairs/s"),
        ({"has_accuracy": False}, "loss 1.500, 2 pairs/s"),
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


def test_with_a_time_limit_the_time_is_the_only_clock(capfd):
    callback = ProgressBar()
    callback.on_start(make_plan(step=4, max_seconds=60.0, spent=30.0))
    callback.on_progress(PROGRESS)
    callback.on_end()
    last = capfd.readouterr().err.split("\r")[-1]
    assert last.startswith("training:  75%|")
    assert last.rstrip().endswith("| 45 of 60 s, step 6, loss 1.500, accuracy 25.0%, 2 pairs/s")


@pytest.mark.parametrize("settings", [{"is_done": True}, {"max_seconds": 60.0, "spent": 60.0}])
def test_a_run_that_is_done_has_no_bar(capfd, settings: dict[str, Any]):
    callback = ProgressBar()
    callback.on_start(make_plan(**settings))
    callback.on_end()
    assert capfd.readouterr().err == ""
