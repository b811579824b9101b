import json
from pathlib import Path

import pytest

from tests.training.callbacks.test_history import make_row
from textgen.config import ModelConfig, TextConfig, TrainConfig
from textgen.runs import RunConfig
from textgen.training import report
from textgen.training.callbacks.history import History
from textgen.training.metrics import MetricSums
from textgen.training.report import Report

CONFIG = RunConfig(
    text=TextConfig(),
    model=ModelConfig(),
    train=TrainConfig(sample_prompt="It is", sample_temperature=0.5, seed=7),
    window=5,
    vocabulary_size=20,
    tokens_sha256="ab",
    boundaries=True,
)


def _report(output: Path, step: int = 0) -> tuple[Report, History]:
    history = History(output / "history.csv", until_step=step)
    return Report(output, CONFIG, lambda: "It is so", history, step=step), history


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            make_row(3),
            "epoch 1.00: loss 0.667 (0.0% right), validation 2.500 (12.5% right), perplexity 12.2, 2.200 bits a "
            "character, best so far; compute-bound, 1.0% of the time waiting for data",
        ),
        (make_row(3, None), "epoch 1.00: loss 0.667 (0.0% right), best so far; compute-bound"),
        (make_row(3, None, accuracy=None, waited=0.5), "epoch 1.00: loss 0.667, best so far; input-bound, 50.0% of"),
    ],
)
def test_a_check_is_told_and_written(tmp_path: Path, capfd, row, told: str):
    made, history = _report(tmp_path)
    history.rows.append(row)
    made.progressed(3, MetricSums(loss=1.0, pairs=1.0), 0.1)
    made.checked(row, best=True)
    errors = capfd.readouterr().err
    assert told in errors
    assert "  sample at temperature 0.5, seed 7: It is so\n" in errors
    assert History(tmp_path / "history.csv", until_step=3).rows == [row]
    (line,) = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert json.loads(line) == {"step": 3, "prompt": "It is", "temperature": 0.5, "seed": 7, "text": "It is so"}
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1


def test_what_is_done_again_is_told_once(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(report.curves, "draw", lambda rows, path: None)
    for begin, steps in ((0, (2, 4, 6)), (4, (6, 8))):
        made, history = _report(tmp_path, begin)
        for step in steps:
            history.rows.append(make_row(step))
            made.checked(history.rows[-1], best=False)
    assert [row.step for row in History(tmp_path / "history.csv", until_step=99).rows] == [2, 4, 6, 8]
    samples = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in samples] == [2, 4, 6, 8]
