import dataclasses
import json
from pathlib import Path

import pytest

from tests.conftest import MakeDataset
from textgen.dataset import Manifest, read_manifest
from textgen.errors import UserError
from textgen.reporting.dropped_samples import SAMPLES, dropped_samples


@pytest.fixture
def data(make_dataset: MakeDataset, tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data", train=[[4, 5]], dropped=3)


def _kept(data: Path, lines: list[object]) -> Manifest:
    """The manifest of a dataset that has kept dropped documents, which are written."""
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    (data / "dropped-000000.jsonl").write_text(text)
    manifest = read_manifest(data)
    manifest.units[0].dropped_sha256 = "0" * 64
    manifest.units[0].dropped = {"empty": 3, "too short": 9}
    return dataclasses.replace(manifest)


def test_some_texts_of_each_reason_are_read(data: Path):
    rows = [{"reason": "too short", "text": f"text {i % 5}"} for i in range(9)]
    manifest = _kept(data, [*rows, {"reason": "empty", "text": "", "file": "a.txt"}])
    assert dropped_samples(str(data), manifest) == {
        "too short": [f"text {i}" for i in range(SAMPLES)], "empty": [""]
    }  # fmt: skip


def test_nothing_is_read_where_nothing_was_kept(data: Path):
    assert dropped_samples(str(data), read_manifest(data)) == {}


def test_a_very_long_text_is_passed_over(data: Path):
    rows = [{"reason": "empty", "text": "x" * (3 << 20)}, {"reason": "empty", "text": "short"}]
    assert dropped_samples(str(data), _kept(data, rows)) == {"empty": ["short"]}


@pytest.mark.parametrize(
    "line", ["{\n", "[1]\n", '{"reason": "empty"}\n', '{"reason": 1, "text": ""}\n', "[" * 100_000 + "\n"]
)
def test_a_damaged_file_is_an_error(data: Path, line: str):
    with pytest.raises(UserError, match=r"dropped-000000\.jsonl is damaged: .* `textgen repair` mends it"):
        dropped_samples(str(data), _kept(data, [line]))


def test_a_missing_file_is_an_error(data: Path):
    manifest = _kept(data, [])
    (data / "dropped-000000.jsonl").unlink()
    with pytest.raises(UserError, match="is damaged: it is missing"):
        dropped_samples(str(data), manifest)
