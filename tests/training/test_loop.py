from textgen.training.loop import next_call_steps


def test_a_call_grows_to_half_a_second_and_at_most_twofold():
    steps, taken = 1, []
    for _ in range(8):
        taken.append(steps)
        steps = next_call_steps(steps, 0.01 * steps)
    assert taken == [1, 2, 4, 8, 16, 32, 50, 50]


def test_a_slow_step_is_a_separate_call():
    assert next_call_steps(4, 100.0) == 1
