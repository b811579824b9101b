from pathlib import Path

import apache_beam as beam
import pytest

from pipelines import engines, vocabulary
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.pieces import Piece
from textgen.corpus.units import Unit

ALL_TRAIN = PrepareConfig(text=TextConfig(), format="lines", validation_percent=0, test_percent=0)


def unit(path: Path, text: str) -> Unit:
    path.write_text(text, encoding="utf-8")
    return Unit(0, (Piece(str(path), 0, path.stat().st_size, "lines"),))


def count(config: PrepareConfig, unit: Unit) -> dict:
    work = vocabulary.CountUnit(config)
    work.setup()
    return work.process(unit)


def test_a_units_tokens_are_counted_after_cleaning(tmp_path: Path) -> None:
    result = count(ALL_TRAIN, unit(tmp_path / "x", "The whale, the WHALE!\n\nA whale.\n"))
    assert result["counts"] == {"the": 2, "whale": 3, ",": 1, "!": 1, "a": 1, ".": 1}
    assert result["documents"] == {"train": 2, "validation": 0, "test": 0}


def test_characters_are_counted_as_characters(tmp_path: Path) -> None:
    config = PrepareConfig(
        text=TextConfig(tokenizer="char", punctuation="keep"), format="lines", validation_percent=0, test_percent=0
    )
    assert count(config, unit(tmp_path / "x", "ab🐋a"))["counts"] == {"a": 2, "b": 1, "🐋": 1}


def test_held_out_text_is_not_counted(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), format="lines", split_by="tail", validation_percent=20, test_percent=20)
    result = count(config, unit(tmp_path / "x", "a b c d e f g h i j\n"))
    assert sorted(result["counts"]) == ["a", "b", "c", "d", "e", "f"]
    assert result["documents"] == {"train": 1, "validation": 1, "test": 1}


@pytest.mark.parametrize("buckets", [1, 64])
def test_the_counts_of_all_units_are_joined_and_the_head_is_kept(
    tmp_path: Path, buckets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "BUCKETS", buckets)
    (tmp_path / "_work").mkdir()
    workspace = Workspace(str(tmp_path))
    results = [
        {"counts": {"whale": 3, "b": 1, "a": 1}, "documents": {"train": 2, "validation": 1, "test": 0}},
        {"counts": {"sea": 4, "whale": 2, "c": 1}, "documents": {"train": 1, "validation": 0, "test": 5}},
    ]
    with beam.Pipeline(runner=engines.FnApiRunner()) as pipeline:
        _ = pipeline | beam.Create(results) | vocabulary.LearnVocabulary(4, workspace)
    census = vocabulary.read_census(workspace)
    assert census is not None
    # Ties go by text.
    assert census.vocabulary.tokens == ("whale", "sea", "a", "b")
    assert census.vocabulary.counts == (5, 4, 1, 1)
    assert census.documents == {"train": 3, "validation": 1, "test": 5}
