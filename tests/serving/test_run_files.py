from pathlib import Path

from tests.serving.conftest import ask
from textgen.serving import run_files


def test_curves_and_samples_are_read_while_a_training_writes_them(address: str, tmp_path: Path):
    found = ask(f"{address}/v1/runs/letters").json
    assert found["history"] == {"step": [3, 6], "loss": [2.5, 2.25], "validation_loss": [None, 2.75]}
    assert found["samples"] == [{"step": 3, "prompt": "a", "text": "abc"}]
    assert run_files.read(tmp_path) == {"history": {}, "samples": []}
