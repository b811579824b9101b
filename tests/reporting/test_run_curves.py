import dataclasses
import json
from pathlib import Path

from tests.reporting.reading import Page
from textgen.reporting.markup import join
from textgen.reporting.run_curves import curves, rates
from textgen.training.callbacks.history import HistoryRow

ROW = HistoryRow(
    step=10, epoch=0.5, seconds=2.0, pairs_per_second=900.0, waited=0.01, learning_rate=0.001, gradient_norm=2.5,
    loss=3.0, accuracy=None,
)  # fmt: skip
ROWS = [ROW, dataclasses.replace(ROW, step=20, loss=2.5, gradient_norm=float("inf"))]


def test_baselines_are_lines_beside_the_loss(tmp_path: Path):
    (tmp_path / "baselines.json").write_text(json.dumps({"unigram": 3.5, "bigram": 3.1}))
    loss, accuracy = curves(ROWS, tmp_path)
    # There was no validation, and with a sampled softmax there is no accuracy.
    assert Page(loss).text_of("desc") == ["nats per token by step: training, unigram, bigram"]
    assert "Accuracy: there is nothing to show." in accuracy


def test_an_infinite_gradient_norm_is_left_out():
    rate, norm, speed = (Page(part) for part in rates(ROWS))
    assert len(norm.named("circle")) == 1
    assert [page.text_of("title") for page in (rate, speed)] == [["Learning rate"], ["Speed"]]


def test_without_checks_there_are_no_curves(tmp_path: Path):
    assert join(curves([], tmp_path)) == "<p>There are none.</p>"
    assert "no history" in join(rates([]))
