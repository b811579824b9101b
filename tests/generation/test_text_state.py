from textgen.generation.text_state import END, LENGTH, REASONS, RUNNING, STOP


def test_every_reason_has_its_name():
    assert [REASONS[number] for number in (RUNNING, LENGTH, STOP, END)] == ["", "length", "stop", "end"]
