import json
from pathlib import Path

from tests.training.callbacks.test_history import make_row
from textgen.config import TrainConfig
from textgen.training.callbacks import Check, History
from textgen.training.callbacks.samples import Samples

CONFIG = TrainConfig(sample_prompt="It is", sample_temperature=0.5, seed=7)

TEXTS = ["one\ntwo\u2028three", "کتاب 🐋 e\u0301"]


def _check(step: int, text: str = "x") -> Check:
    return Check(make_row(step), best=False, history=History(Path("nowhere")), sample=text)


def _steps(path: Path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def test_samples_are_added_a_json_line_each(tmp_path: Path):
    path = tmp_path / "samples.jsonl"
    samples = Samples(path, CONFIG)
    for step, text in enumerate(TEXTS):
        samples.on_check(_check(step, text))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    assert lines == [
        {"step": step, "prompt": "It is", "temperature": 0.5, "seed": 7, "text": text}
        for step, text in enumerate(TEXTS)
    ]
    assert "🐋" in path.read_text(encoding="utf-8")


def test_samples_of_repeated_steps_and_an_incomplete_line_are_dropped(tmp_path: Path):
    path = tmp_path / "samples.jsonl"
    samples = Samples(path, CONFIG)
    for step in (2, 4, 6):
        samples.on_check(_check(step, "\u2028"))
    with path.open("a") as file:
        file.write('{"step": 3, "pro')
    Samples(path, CONFIG, until_step=4).on_check(_check(5))
    assert _steps(path) == [2, 4, 5]
    assert [file.name for file in tmp_path.iterdir()] == ["samples.jsonl"]
