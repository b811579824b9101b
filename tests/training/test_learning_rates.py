import math
from typing import Any

import pytest

from textgen.config import TrainConfig
from textgen.training.learning_rates import LearningRate


def _rates(steps: list[int], *, last_step: int = 100, **settings: Any) -> list[float]:
    rate = LearningRate(TrainConfig(learning_rate=2.0, **settings), last_step=last_step)
    return [float(rate(step)) for step in steps]


def test_a_constant_rate_is_constant():
    assert _rates([0, 1, 1000]) == [2.0, 2.0, 2.0]


def test_it_rises_in_equal_steps_to_the_highest():
    assert _rates([0, 1, 3, 4, 50], warmup_steps=4) == [0.5, 1.0, 2.0, 2.0, 2.0]


def test_cosine_falls_from_the_end_of_the_warm_up_to_a_hundredth_at_the_last_step():
    begin, rising, top, middle, end, after = _rates([0, 9, 20, 60, 100, 200], schedule="cosine", warmup_steps=20)
    assert (begin, rising) == pytest.approx((0.1, 1.0))
    assert top == pytest.approx(2.0)
    assert middle == pytest.approx(2.0 * (0.01 + 0.99 / 2))
    assert end == after == pytest.approx(0.02)


def test_cosine_ends_after_decay_steps():
    assert _rates([10, 99], schedule="cosine", decay_steps=10) == pytest.approx([0.02, 0.02])
    quarter = 0.01 + 0.99 * (1 + math.cos(math.pi / 4)) / 2
    assert _rates([10], schedule="cosine", decay_steps=40) == pytest.approx([2.0 * quarter])


def test_cosine_ends_when_the_time_limit_or_its_steps_end():
    rate = LearningRate(TrainConfig(learning_rate=2.0, schedule="cosine"), last_step=100)
    rates = []
    for step, time_used in ((0, 0.5), (50, 0.25), (3, 1.0), (100, 0.1)):
        rate.time_used.assign(time_used)
        rates.append(float(rate(step)))
    middle, end = 2.0 * (0.01 + 0.99 / 2), 0.02
    assert rates == pytest.approx([middle, middle, end, end])


def test_the_used_time_leaves_a_constant_rate():
    rate = LearningRate(TrainConfig(learning_rate=2.0), last_step=100)
    rate.time_used.assign(1.0)
    assert float(rate(3)) == 2.0


def test_on_a_plateau_it_is_halved_each_time_patience_ends():
    rate = LearningRate(TrainConfig(learning_rate=1.0, schedule="plateau", plateau_patience=2), last_step=9)
    rates = []
    for stale in (0, 1, 2, 3, 4, 0, 1):
        rate.after_check(stale)
        rates.append(float(rate(0)))
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_other_schedules_know_no_plateau():
    rate = LearningRate(TrainConfig(learning_rate=1.0), last_step=9)
    rate.after_check(1)
    assert float(rate(0)) == 1.0
