import csv
import json
from pathlib import Path

import pytest
from matplotlib import image

from textgen.training.watchers import History, Row, add_sample, draw_curves


def _row(step: int, validation_loss: float | None = 2.5) -> Row:
    return Row(
        step=step,
        epoch=step / 3,
        seconds=0.1 + 0.2,
        pairs_per_second=1e6 / 7,
        loss=2.0 / 3,
        accuracy=1e-17,
        validation_loss=validation_loss,
        validation_accuracy=None if validation_loss is None else 0.125,
    )


def test_rows_come_back_from_the_file_to_the_last_digit(tmp_path: Path):
    path = tmp_path / "history.csv"
    written = History(path)
    for row in (_row(1), _row(2, None), _row(3)):
        written.add(row)
    assert History(path, until_step=3).rows == [_row(1), _row(2, None), _row(3)]


def test_the_file_is_a_table_with_empty_cells_where_nothing_is_held_out(tmp_path: Path):
    History(tmp_path / "history.csv").add(_row(7, None))
    with (tmp_path / "history.csv").open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert line["step"] == "7"
    assert line["loss"] == repr(2.0 / 3)
    assert (line["validation_loss"], line["validation_accuracy"]) == ("", "")
    assert list(line)[:2] == ["step", "epoch"]


def test_every_row_is_on_disk_when_it_is_added(tmp_path: Path):
    history = History(tmp_path / "history.csv")
    for lines in (2, 3):
        history.add(_row(lines))
        assert len((tmp_path / "history.csv").read_text().splitlines()) == lines
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_rows_after_the_restored_step_are_dropped_from_the_file_too(tmp_path: Path):
    path = tmp_path / "history.csv"
    for step in (4, 8, 12):
        History(path, until_step=100).add(_row(step))
    assert [row.step for row in History(path, until_step=8).rows] == [4, 8]
    assert [row.step for row in History(path, until_step=100).rows] == [4, 8]


def test_a_new_history_is_empty(tmp_path: Path):
    assert History(tmp_path / "history.csv").rows == []


def test_the_monitored_loss_is_validations_where_there_is_one():
    assert _row(1).monitored == 2.5
    assert _row(1, None).monitored == 2.0 / 3


@pytest.mark.parametrize("rows", [[], [_row(1), _row(2)], [_row(1, None), _row(2, None)]])
def test_curves_are_a_picture_with_and_without_validation(tmp_path: Path, rows: list[Row]):
    path = tmp_path / "curves.png"
    draw_curves(rows, path)
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    height, width, _ = image.imread(path).shape
    assert (width, height) == (1210, 440)


def test_curves_are_drawn_anew(tmp_path: Path):
    path = tmp_path / "curves.png"
    draw_curves([_row(1), _row(2)], path)
    before = path.read_bytes()
    draw_curves([_row(1), _row(2), _row(3, 0.5)], path)
    assert path.read_bytes() != before


def test_samples_are_added_a_json_line_each(tmp_path: Path):
    path = tmp_path / "samples.jsonl"
    texts = ["one\ntwo\u2028three", "کتاب 🐋 e\u0301"]
    for step, text in enumerate(texts):
        add_sample(path, step=step, prompt="It is", temperature=0.5, seed=7, text=text)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    assert lines == [
        {"step": step, "prompt": "It is", "temperature": 0.5, "seed": 7, "text": text}
        for step, text in enumerate(texts)
    ]
    assert "🐋" in path.read_text(encoding="utf-8")
