import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MakeDataset
from textgen.config import GeneratedTextConfig
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.text.preprocessor import load_own
from textgen.training.text_quality.comparison import TextQuality, compare, require_comparable, shown_rows

TRAIN, TEST = [[4, 5, 6, 7, 8, 9, 10, 11], [12, 13, 14]], [[4, 5, 6, 12], [15, 16, 17, 18], []]


@pytest.fixture(scope="module")
def data(make_dataset: MakeDataset, tmp_path_factory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("comparison") / "data", train=TRAIN, test=TEST)


def _compare(data: Path, written: list[list[int]], **settings) -> TextQuality:
    manifest = read_manifest(data)
    return compare(
        [np.array(text, np.int64) for text in written], data, manifest,
        load_own(data, manifest.text, manifest.vocabulary),
        split="test", settings=GeneratedTextConfig(generation=True, **settings),
    )  # fmt: skip


@pytest.fixture(scope="module")
def quality(data: Path) -> TextQuality:
    return _compare(data, [[5, 6, 7, 8], [], [19, 19, 19, 19], [4, 5]])


def test_written_and_held_out_texts_are_of_the_same_amount(quality: TextQuality):
    assert (quality.written.texts, quality.written.tokens) == (2, 8)
    assert (quality.held_out.texts, quality.held_out.tokens) == (2, 8)


def test_what_stands_in_the_training_text_is_copied(quality: TextQuality):
    assert quality.written.copied == {2: 3 / 6, 4: 1 / 2, 8: None, 16: None, 32: None}
    assert quality.held_out.copied == {2: 2 / 6, 4: 0, 8: None, 16: None, 32: None}
    assert (quality.written.longest_copy, quality.written.longest_copy_text) == (4, "bcde")
    assert (quality.held_out.longest_copy, quality.held_out.longest_copy_text) == (3, "abc")


def test_the_other_figures_are_those_of_the_texts(quality: TextQuality):
    assert quality.written.distinct[1] == 5 / 8
    assert quality.held_out.distinct[1] == 1
    assert quality.written.repetition[2] == pytest.approx((0 + 2 / 3) / 2)
    assert quality.held_out.self_bleu[2] == 0
    # Each text is one word of letters, which may be a part of one.
    assert quality.written.known_words is None


def test_as_json_every_figure_has_its_name(quality: TextQuality):
    values = json.loads(json.dumps(dataclasses.asdict(quality)))
    assert values["written"]["copied"]["4"] == 0.5
    assert values["settings"]["generation_seed"] == 0


def test_each_figure_is_a_row(quality: TextQuality):
    rows = {name: (ours, theirs) for name, ours, theirs in shown_rows(quality)}
    assert rows["distinct 1-grams"] == ("62.5%", "100.0%")
    assert rows["8-grams of the training text"] == ("-", "-")
    assert rows["longest copy, tokens"] == ("4", "3")
    assert len(rows) == 4 + 4 + 3 + 1 + 5 + 1


def test_texts_that_are_all_empty_are_refused(data: Path):
    with pytest.raises(UserError, match=r"all 2 generated texts are empty.* Train it longer"):
        _compare(data, [[], []])


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("train", "compared with held-out text. Use --split validation or test"),
        ("all", "compared with held-out text. Use --split validation or test"),
        ("validation", "validation split of this dataset is empty"),
        ("dev", "split is 'dev'; it must be one of"),
    ],
)
def test_a_split_that_is_not_held_out_is_refused(data: Path, split: str, message: str):
    with pytest.raises(UserError, match=message):
        require_comparable(data, read_manifest(data), split)
