import dataclasses
from pathlib import Path

import apache_beam as beam
import pytest

from pipelines import census, count_tokens, runners, tokenize
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit

ALL_TRAIN = PrepareConfig(text=TextConfig(), format="lines", validation_percent=0, test_percent=0)


def unit(path: Path, text: str) -> Unit:
    path.write_text(text, encoding="utf-8")
    file = InputFile(str(path), path.stat().st_size, path.stat().st_mtime, "lines")
    return Unit(0, (FileRange(file, 0, file.size),))


def count(tmp_path: Path, config: PrepareConfig, text: str) -> dict:
    (tmp_path / "_work" / "tokens").mkdir(parents=True)
    workspace, made = Workspace(str(tmp_path)), unit(tmp_path / "x", text)
    (tmp_path / "_work" / "vocabulary").mkdir()
    tokenizing, counting = tokenize.TokenizeUnit(config, workspace), count_tokens.CountUnit(config, workspace)
    for work in (tokenizing, counting):
        work.setup()
        result = work.process(made)
    return {**result, "counts": census.by_token(counting.counts(0), config, workspace)}


def test_a_units_tokens_are_counted_after_cleaning(tmp_path: Path) -> None:
    result = count(tmp_path, ALL_TRAIN, "The whale, the WHALE!\n\nA whale.\n")
    assert result["counts"] == {"the": 2, "whale": 3, ",": 1, "!": 1, "a": 1, ".": 1}
    assert result["documents"] == {"train": 2, "validation": 0, "test": 0}


def test_characters_are_counted_as_characters(tmp_path: Path) -> None:
    config = PrepareConfig(
        text=TextConfig(tokenizer="char", punctuation="keep"), format="lines", validation_percent=0, test_percent=0
    )
    assert count(tmp_path, config, "ab🐋a")["counts"] == {"a": 2, "b": 1, "🐋": 1}


def test_held_out_text_is_not_counted(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), format="lines", split_by="tail", validation_percent=20, test_percent=20)
    result = count(tmp_path, config, "a b c d e f g h i j\n")
    assert sorted(result["counts"]) == ["a", "b", "c", "d", "e", "f"]
    assert result["documents"] == {"train": 1, "validation": 1, "test": 1}


@pytest.mark.parametrize("buckets", [1, 64])
def test_the_census_has_the_most_frequent_tokens_of_all_units(tmp_path: Path, buckets: int) -> None:
    (tmp_path / "_work" / "tokens").mkdir(parents=True)
    (tmp_path / "_work" / "vocabulary").mkdir()
    workspace = Workspace(str(tmp_path))
    config = dataclasses.replace(ALL_TRAIN, text=TextConfig(vocabulary_size=4))
    counting, results = count_tokens.CountUnit(config, workspace, buckets=buckets), []
    for i, words in enumerate((["whale"] * 3 + ["b", "a"], ["sea"] * 4 + ["whale"] * 2 + ["c"])):
        made = dataclasses.replace(unit(tmp_path / f"{i}", " ".join(words)), index=i)
        for work in (tokenize.TokenizeUnit(config, workspace), counting):
            work.setup()
            result = work.process(made)
        results.append(result)
    with beam.Pipeline(runner=runners.FnApiRunner()) as pipeline:
        _ = pipeline | beam.Create(results) | count_tokens.TakeCensus(counting, config, workspace)
    found = census.read_census(config, workspace)
    assert found is not None
    # Ties are sorted by text; the last one is no token of the vocabulary.
    assert list(found.counts.items()) == [("whale", 5), ("sea", 4), ("a", 1), ("b", 1), ("c", 1)]
    assert found.documents == {"train": 2, "validation": 0, "test": 0}
    assert found.vocabulary_sizes == {"5": 5, "1": 5}
    assert found.equal_documents == 1


def test_equal_documents_are_counted_by_their_hash(tmp_path: Path) -> None:
    result = count(tmp_path, ALL_TRAIN, "No.\nyes\nNO.\n\nno.\nYes\nmaybe\n")
    assert sorted(result["equal"].values()) == [2, 3]
