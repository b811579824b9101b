import csv
from pathlib import Path

import pytest

from textgen.training.callbacks.history import History, HistoryRow


def make_row(step: int, validation_loss: float | None = 2.5, **figures: float) -> HistoryRow:
    held_out = {} if validation_loss is None else {"validation_accuracy": 0.125, "validation_bits_per_character": 2.2}
    return HistoryRow(
        **{
            "step": step, "epoch": step / 3, "seconds": 0.1 + 0.2, "pairs_per_second": 1e6 / 7, "waited": 0.01,
            "learning_rate": 1e-3, "gradient_norm": 0.7, "loss": 2.0 / 3, "accuracy": 1e-17,
            "validation_loss": validation_loss, **held_out, **figures,
        }
    )  # fmt: skip


def _written(path: Path, *rows: HistoryRow) -> History:
    history = History(path)
    history.rows += rows
    history.write()
    return history


def test_rows_come_back_from_the_file_to_the_last_digit(tmp_path: Path):
    rows = [make_row(1), make_row(2, None), make_row(3, accuracy=None)]
    _written(tmp_path / "history.csv", *rows)
    assert History(tmp_path / "history.csv", until_step=3).rows == rows


def test_the_file_is_a_table_with_empty_cells_where_nothing_is_held_out(tmp_path: Path):
    _written(tmp_path / "history.csv", make_row(7, None))
    with (tmp_path / "history.csv").open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert line["step"] == "7"
    assert line["loss"] == repr(2.0 / 3)
    assert [line[name] for name in line if name.startswith("validation_")] == ["", "", ""]
    assert list(line)[:2] == ["step", "epoch"]


def test_nothing_else_is_left_beside_the_file(tmp_path: Path):
    _written(tmp_path / "history.csv", make_row(1))
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_rows_after_the_step_of_the_resumed_checkpoint_are_dropped(tmp_path: Path):
    path = tmp_path / "history.csv"
    _written(path, make_row(4), make_row(8), make_row(12))
    history = History(path, until_step=8)
    assert [row.step for row in history.rows] == [4, 8]
    history.write()
    assert [row.step for row in History(path, until_step=100).rows] == [4, 8]


def test_a_new_history_is_empty(tmp_path: Path):
    assert History(tmp_path / "history.csv").rows == []


def test_the_monitored_loss_is_validations_where_there_is_one():
    assert make_row(1).monitored == 2.5
    assert make_row(1, None).monitored == 2.0 / 3


@pytest.mark.parametrize(("waited", "words"), [(0.0, "compute-bound, 0.0% of"), (0.25, "input-bound, 25.0% of")])
def test_the_bottleneck_is_described_in_words(waited: float, words: str):
    assert make_row(1, waited=waited).bottleneck.startswith(words)
