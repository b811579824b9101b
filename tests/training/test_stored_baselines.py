import math
from pathlib import Path

import pytest

from textgen.dataset import read_manifest
from textgen.training import stored_baselines
from textgen.training.stored_baselines import FILE_NAME, read, read_or_make

TRAIN, VALIDATION = [[4, 5, 6, 7, 8] * 4], [[4, 5, 6, 7]]


@pytest.fixture
def data(make_dataset, tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data", train=TRAIN, validation=VALIDATION)


def test_they_are_computed_once_and_stored(data: Path, tmp_path: Path, monkeypatch):
    manifests = {str(data): read_manifest(data)}
    made = read_or_make(tmp_path, manifests)
    assert list(made) == ["unigram", "bigram", "trigram"]
    assert made["trigram"] < made["bigram"] < made["unigram"] < math.log(20)
    assert read(tmp_path) == made
    monkeypatch.setattr(stored_baselines, "baselines", None, raising=True)
    monkeypatch.setattr(stored_baselines, "read", lambda run: made)
    assert read_or_make(tmp_path, manifests) == made


def test_none_are_made_without_a_validation_split_of_one_dataset(
    data: Path, make_dataset, tmp_path: Path, monkeypatch
):
    manifest = read_manifest(data)
    bare = read_manifest(make_dataset(tmp_path / "bare", train=TRAIN))
    assert read_or_make(tmp_path, {}) == {}
    assert read_or_make(tmp_path, {"a": manifest, "b": manifest}) == {}
    assert read_or_make(tmp_path, {"a": bare}) == {}
    monkeypatch.setattr(stored_baselines, "_MAX_PAIRS", 1)
    assert read_or_make(tmp_path, {"a": manifest}) == {}
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "7", '{"unigram": "x"}', '{"unigram": NaN}', '{"else": 1}', '{"unigram": 1e999}', " " * 2000],
)
def test_a_damaged_file_has_none(tmp_path: Path, content: str):
    (tmp_path / FILE_NAME).write_text(content)
    assert read(tmp_path) == {}
