import dataclasses
from pathlib import Path

import pytest

from pipelines import census, claims
from pipelines.census import Census
from pipelines.plan import Plan
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig, TextConfig
from textgen.errors import UserError
from textgen.text import vocabulary
from textgen.text.vocabulary import Vocabulary

CONFIG = PrepareConfig(text=TextConfig(vocabulary_size=2))
DOCUMENTS = {"train": 8, "validation": 1, "test": 1}


def test_the_vocabulary_holds_the_most_frequent_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = Workspace(str(tmp_path))
    census.write_vocabulary(Census({"sea": 4, "whale": 3, "a": 1}, DOCUMENTS), CONFIG, workspace)
    assert vocabulary.load(tmp_path) == Vocabulary(("sea", "whale"), (4, 3))
    assert capsys.readouterr().err == ""


def test_all_symbols_are_counted_where_a_vocabulary_was_given(tmp_path: Path) -> None:
    workspace, given = Workspace(str(tmp_path)), Vocabulary(("a", "b"), (0, 0))
    assert census.symbols_to_learn(CONFIG, workspace) == 2
    config = dataclasses.replace(CONFIG, given_vocabulary=given.fingerprint())
    claims.claim(workspace.directory, Plan(config, (), given))
    assert census.symbols_to_learn(config, workspace) > 1_000_000_000
    assert census.learn({"sea": 4, "a": 1}, config, workspace) == Vocabulary(("a", "b"), (1, 0))


def test_the_most_frequent_tokens_outside_the_vocabulary_are_named() -> None:
    counts = {"sea": 9, "unk": 8, "w" * 101: 7, **{f"w{i:02}": 5 - (i > 30) for i in range(40, 0, -1)}}
    config = PrepareConfig(text=TextConfig(unknown_word="unk"))
    found = census.frequent_unknown(counts, Vocabulary(("sea",), (9,)), config)
    # Ties are sorted by text.
    assert list(found.items()) == [(f"w{i:02}", 5) for i in range(1, 21)]
    pieces = PrepareConfig(text=TextConfig(tokenizer="wordpiece", punctuation="keep"))
    assert census.frequent_unknown(counts, Vocabulary(("sea",), (9,)), pieces) == {}


@pytest.mark.parametrize(
    ("documents", "settings", "message"),
    [
        ({"train": 0}, {}, r"no document with text is left to train on: the files hold no docu.*\. Che"),
        ({"test": 0}, {}, r"the test split would be empty: .* has 9 documents, and whole .*--split-by t"),
        ({"test": 0}, {"group_field": "author"}, r"whole groups with one value of 'author' are held out"),
        ({"test": 0}, {"given_splits": "test"}, r"the test split would be empty: no document of --test-input"),
        ({"validation": 0, "test": 0}, {"split_by": "tail"}, r"the validation and the test split .* 8 documents"),
    ],
)  # fmt: skip
def test_a_split_without_documents_is_an_error_before_the_vocabulary_is_written(
    tmp_path: Path, documents: dict[str, int], settings: dict[str, str], message: str
) -> None:
    config = PrepareConfig(text=TextConfig(), **settings)
    with pytest.raises(UserError, match=message):
        census.write_vocabulary(Census({"a": 1}, {**DOCUMENTS, **documents}), config, Workspace(str(tmp_path)))
    assert list(tmp_path.iterdir()) == []
