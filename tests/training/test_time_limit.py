import math

import pytest

from textgen.training.time_limit import CHECKS, TimeLimit


class FakeClock:
    """A clock that a test moves.

    Attributes:
        seconds: the time that it shows.
        step: seconds that each reading takes.
    """

    def __init__(self, *, step: float = 0.0):
        self.seconds, self.step = 1000.0, step

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


def test_time_counts_from_the_start_and_is_added_to_that_of_earlier_sessions():
    clock = FakeClock()
    limit = TimeLimit(1, spent=12, clock=clock)
    clock.seconds += 5
    assert limit.spent() == 12
    limit.start()
    clock.seconds += 30
    assert limit.spent() == 42
    assert not limit.is_up(limit.spent())
    clock.seconds += 18
    assert limit.is_up(limit.spent())


def test_uncounted_time_does_not_count_even_if_it_ends_in_an_error():
    clock = FakeClock()
    limit = TimeLimit(1, clock=clock)
    limit.start()
    clock.seconds += 1
    with pytest.raises(ValueError, match="in between"), limit.uncounted():
        clock.seconds += 100
        raise ValueError("in between")
    clock.seconds += 2
    assert limit.spent() == 3


def test_the_used_fraction_ends_at_one():
    limit = TimeLimit(2)
    assert [limit.used(seconds) for seconds in (0, 30, 120, 500)] == [0, 0.25, 1, 1]


def _checks(limit: TimeLimit, call_seconds: float, *, check_seconds: float = 0.0) -> list[float]:
    """Returns when checks are made, in seconds, if calls and checks take so long."""
    spent, checked_at, checks = 0.0, 0.0, []
    while not limit.is_up(spent):
        spent += call_seconds
        if limit.check_is_due(spent, checked_at=checked_at):
            checks.append(spent)
            checked_at = spent
            spent += check_seconds
    return checks


@pytest.mark.parametrize("check_seconds", [0, 3])
@pytest.mark.parametrize("call_seconds", [0.1, 0.7, 5, 7])
def test_five_checks_are_made_within_the_time(call_seconds: float, check_seconds: float):
    checks = _checks(TimeLimit(1), call_seconds, check_seconds=check_seconds)
    assert len(checks) == CHECKS
    assert checks[-1] < 60 + call_seconds + check_seconds


def test_a_check_by_steps_near_the_end_of_a_fifth_takes_the_place_of_the_planned_one():
    limit = TimeLimit(1)
    assert not limit.check_is_due(12.5, checked_at=10)
    assert limit.check_is_due(12.5, checked_at=5)
    assert limit.check_is_due(24, checked_at=10)


def test_without_a_limit_nothing_is_up_used_or_due():
    limit = TimeLimit(math.inf)
    assert not limit.is_up(1e9)
    assert limit.used(1e9) == 0
    assert not limit.check_is_due(1e9, checked_at=0)
    assert limit.planned_checks(0) == 0
    assert limit.call_seconds(0.5) == 0.5


def test_a_resumed_session_plans_the_checks_that_remain():
    limit = TimeLimit(1)
    assert [limit.planned_checks(seconds) for seconds in (0, 5, 13, 46, 53, 60)] == [5, 5, 4, 1, 1, 0]


def test_calls_are_shorter_under_a_short_limit():
    assert TimeLimit(0.02).call_seconds(0.5) == pytest.approx(0.06)
    assert TimeLimit(3).call_seconds(0.5) == 0.5
