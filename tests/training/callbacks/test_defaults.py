from pathlib import Path

from tests.training.callbacks.test_history import make_row
from textgen.config import TrainConfig
from textgen.training.callbacks import Check, History
from textgen.training.callbacks.defaults import make_callbacks
from textgen.training.callbacks.progress_bar import ProgressBar


def _check(history: History, step: int) -> Check:
    history.rows.append(make_row(step))
    return Check(history.rows[-1], best=False, history=history, sample=f"text {step}")


def test_the_chief_writes_every_file_of_a_check(tmp_path: Path):
    check = _check(History(tmp_path / "history.csv"), 3)
    for callback in make_callbacks(tmp_path, TrainConfig(), step=0, is_chief=True, validated={}):
        callback.on_check(check)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"history.csv", "samples.jsonl", "curves.png", "tensorboard"}
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1


def test_repeated_steps_are_written_once(tmp_path: Path):
    for start, steps in ((0, (2, 4, 6)), (4, (6, 8))):
        history = History(tmp_path / "history.csv", until_step=start)
        callbacks = make_callbacks(tmp_path, TrainConfig(), step=start, is_chief=True, validated={})
        for step in steps:
            check = _check(history, step)
            for callback in callbacks:
                callback.on_check(check)
    assert [row.step for row in History(tmp_path / "history.csv", until_step=99).rows] == [2, 4, 6, 8]
    lines = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert [f"text {step}" in line for step, line in zip((2, 4, 6, 8), lines, strict=True)] == [True] * 4


def test_other_processes_show_their_progress_and_write_nothing(tmp_path: Path):
    (callback,) = make_callbacks(tmp_path, TrainConfig(), step=0, is_chief=False, validated={})
    assert isinstance(callback, ProgressBar)
    assert list(tmp_path.iterdir()) == []
