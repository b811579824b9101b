import math
from pathlib import Path
from typing import Any

import pytest

from tests.training.callbacks.test_history import make_row
from textgen.config import TrainConfig
from textgen.training.callbacks import Check, History, Progress, TrainingPlan
from textgen.training.callbacks.summary import Summary
from textgen.training.metrics import MetricSums

CONFIG = TrainConfig(sample_prompt="It is", sample_temperature=0.5, seed=7, epochs=3)


def make_plan(**settings: Any) -> TrainingPlan:
    return TrainingPlan(
        **{
            "step": 0, "last_step": 10, "steps_per_epoch": 5, "pairs": 1234, "weights": 5678, "replicas": 1,
            "workers": 1, "max_seconds": math.inf, "spent": 0.0, "planned_checks": 0, "compile_seconds": 2.0,
            "is_done": False, "has_accuracy": True,
            **settings,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "printed"),
    [
        (
            make_row(3),
            "epoch 1.00: loss 0.667 (accuracy 0.0%), validation loss 2.500 (accuracy 12.5%), perplexity 12.2, "
            "2.200 bits per character, best so far; compute-bound, 1.0% of the time waiting for data",
        ),
        (make_row(3, None), "epoch 1.00: loss 0.667 (accuracy 0.0%), best so far; compute-bound"),
        (make_row(3, None, accuracy=None, waited=0.5), "epoch 1.00: loss 0.667, best so far; input-bound, 50.0% of"),
    ],
)
def test_a_check_prints_its_metrics_and_its_sample(capfd, row, printed: str):
    Summary(Path("run"), CONFIG).on_check(Check(row, best=True, history=History(Path("nowhere")), sample="It is so"))
    errors = capfd.readouterr().err
    assert printed in errors
    assert "  sample at temperature 0.5, seed 7: It is so\n" in errors


@pytest.mark.parametrize(
    ("settings", "printed"),
    [
        ({}, "training on 1,234 pairs, 5 steps per epoch, 5,678 weights\n"),
        ({"replicas": 4, "workers": 2}, "5,678 weights, 4 devices in 2 processes\n"),
        (
            {"max_seconds": 90.0},
            "5,678 weights, for at most 1.5 minutes; compiling took 2.0 s, which is not counted\n",
        ),
        ({"max_seconds": 90.0, "spent": 60.0}, "for at most 1.5 minutes, 1 minutes of them spent; compiling took"),
        (
            {"is_done": True},
            "run is done: all epochs (3) are trained, or the loss has stopped improving. Raise epochs or patience.\n",
        ),
        (
            {"max_seconds": 90.0, "spent": 91.0},
            "run is done: its training has taken 1.52 minutes, and --max-minutes is 1.5, which counts all sessions "
            "of a run. Raise --max-minutes, or max_minutes in Python, to train on.\n",
        ),
    ],
)
def test_a_run_prints_its_plan(capfd, settings: dict[str, Any], printed: str):
    Summary(Path("run"), CONFIG).on_start(make_plan(**settings))
    assert printed in capfd.readouterr().err


@pytest.mark.parametrize(
    ("checks", "spent", "printed"),
    [
        (0, 89.0, ""),
        (2, 91.0, "--max-minutes 1.5 is over after step 1,003.\n"),
        (
            1,
            91.0,
            "--max-minutes 1.5 is over after step 1,003, with 1 of the 2 planned validations: it is too short for "
            "this training. Raise it.\n",
        ),
    ],
)
def test_the_end_of_the_time_is_told(capfd, checks: int, spent: float, printed: str):
    summary = Summary(Path("run"), CONFIG)
    summary.on_start(make_plan(max_seconds=90.0, planned_checks=2))
    for _ in range(checks):
        summary.on_check(Check(make_row(3), best=True, history=History(Path("nowhere")), sample=""))
    progress = Progress(1003, 1, MetricSums(pairs=1.0), 1.0, 0.1, spent)
    summary.on_progress(progress)
    capfd.readouterr()
    summary.on_end()
    assert capfd.readouterr().err == printed
