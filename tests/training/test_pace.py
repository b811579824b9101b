from textgen.training.pace import Pace


def test_a_call_grows_to_half_a_second_and_no_faster_than_by_doubling():
    pace, taken = Pace(), []
    for _ in range(8):
        taken.append(pace.steps)
        pace.took(pace.steps, 0.01 * pace.steps)
    assert taken == [1, 2, 4, 8, 16, 32, 50, 50]


def test_a_slow_step_is_a_call():
    pace = Pace()
    pace.took(4, 100.0)
    assert pace.steps == 1
