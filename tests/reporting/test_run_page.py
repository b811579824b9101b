import shutil
from pathlib import Path

import pytest

from tests.reporting.conftest import EVIL
from tests.reporting.reading import Page, check
from textgen.errors import UserError
from textgen.reporting.run_page import run_page


@pytest.fixture(scope="module")
def page(reported_run: Path) -> Page:
    return check(run_page(reported_run, data=None, split="test"))


def test_curves_and_samples_need_no_dataset(page: Page):
    assert page.text_of("h2") == [
        "Summary", "Curves", "Learning rate and gradient", "Samples over time", "Held-out text", "Settings"
    ]  # fmt: skip
    assert page.text_of("title")[1:] == [
        "Loss", "Accuracy", "Bits per character", "Learning rate", "Gradient norm", "Speed"
    ]  # fmt: skip
    assert "Lowest validation loss: 2.9000 nats per token, at step 20; these weights are used." in page.text_of("li")
    # The history has the time between checks.
    assert any(text.startswith("Trained 20 steps, 0.50 epochs, in 4 seconds: ") for text in page.text_of("li"))
    assert any("add --data with the dataset of this run" in text for text in page.text_of("p"))


def test_the_newest_sample_comes_first_and_is_escaped(page: Page):
    assert page.text_of("h3") == ["Step 20", "Step 10"]
    assert page.text_of("div") == [f"{EVIL} 20", f"{EVIL} 10"]


def test_a_run_without_history_and_samples_says_so(reported_run: Path, tmp_path: Path):
    run = shutil.copytree(reported_run, tmp_path / "run")
    for name in ("history.csv", "samples.jsonl", "baselines.json"):
        (run / name).unlink()
    text = check(run_page(run, data=None, split="test")).text
    assert "There is no history.csv, or it is empty" in text
    assert "There is no samples.jsonl, or it is empty" in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("history.csv", "step,loss\n1,2", r"history\.csv is damaged"),
        ("samples.jsonl", "{\n{\n", r"samples\.jsonl is damaged"),
        ("samples.jsonl", '{"step": 1}\n', r"samples\.jsonl is damaged: a sample has no 'prompt'"),
        ("run.json", "{", r"run\.json is damaged"),
        ("run.json", '{"version": 1, "text": {}}', "version 1 of a run's folder; this version of textgen reads"),
        ("vocabulary.jsonl", '["a", 1]\n', "Copy the vocabulary.jsonl of the dataset there"),
        ("best/ckpt-20.index", "", "is damaged"),
    ],
)
def test_a_damaged_run_has_no_report(reported_run: Path, tmp_path: Path, name: str, content: str, message: str):
    run = shutil.copytree(reported_run, tmp_path / "run")
    (run / name).write_text(content)
    with pytest.raises(UserError, match=message):
        run_page(run, data=None, split="test")


def test_a_run_without_a_checkpoint_has_no_report(reported_run: Path, tmp_path: Path):
    run = shutil.copytree(reported_run, tmp_path / "run", ignore=shutil.ignore_patterns("best"))
    with pytest.raises(UserError, match="has no checkpoint yet. Continue with `textgen train --resume"):
        run_page(run, data=None, split="test")
