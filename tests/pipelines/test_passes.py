"""What each pass leaves to the next; that the passes together make a dataset, `test_prepare.py` holds."""

from pathlib import Path

import pytest

from pipelines import claims
from pipelines.passes import Passes
from pipelines.plan import Plan, make_plan
from pipelines.workspace import DUPLICATES, SHARDS, TOKENS, Workspace
from textgen.config import PrepareConfig, SelectionConfig, TextConfig
from textgen.dataset import verify
from textgen.errors import UserError

FLAGS = ["--direct_num_workers=1"]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "a.txt").write_text("call me ishmael\n" * 3 + "some years ago\n")
    return make_plan(
        [str(tmp_path / "a.txt")],
        PrepareConfig(
            text=TextConfig(), selection=SelectionConfig(duplicates="drop"), format="lines", window=2,
            validation_percent=0, test_percent=0,
        ),
    )  # fmt: skip


def test_the_passes_build_on_each_other(plan: Plan, tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "out"))
    claims.claim(workspace.directory, plan)
    passes = Passes(plan, workspace, FLAGS)
    assert passes.needs_vocabulary
    passes.tokenize()
    assert workspace.recorded_units(TOKENS) == {0}
    passes.find_duplicates()
    assert workspace.is_done(DUPLICATES)
    assert workspace.recorded(DUPLICATES, 0) == {"exact duplicate": [1, 2]}
    passes.learn_vocabulary()
    assert workspace.names() == {"inputs.jsonl", "vocabulary.jsonl"}
    passes.write_shards()
    assert workspace.recorded_units(SHARDS) == {0}
    made = claims.committed(workspace)
    assert made and (made.total.kept, made.total.dropped) == (2, {"exact duplicate": 2})
    assert verify(tmp_path / "out") == []


def test_with_a_vocabulary_only_units_without_shards_are_read(plan: Plan, tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "out"))
    claims.claim(workspace.directory, plan)
    passes = Passes(plan, workspace, FLAGS)
    for make in (passes.tokenize, passes.find_duplicates, passes.learn_vocabulary, passes.write_shards):
        make()
    workspace.forget(TOKENS)
    again = Passes(plan, workspace, FLAGS)
    assert not again.needs_vocabulary
    again.tokenize()
    assert workspace.recorded_units(TOKENS) == set()
    workspace.forget(SHARDS)
    again.tokenize()
    assert workspace.recorded_units(TOKENS) == {0}


@pytest.mark.parametrize(("name", "content"), [("a.csv", "id,text\n"), ("b.tsv", "id\ttext\n\n")])
def test_tables_without_rows_are_an_error(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    plan = make_plan([str(tmp_path / name)], PrepareConfig(text=TextConfig(), text_field="text"))
    workspace = Workspace(str(tmp_path / "out"))
    claims.claim(workspace.directory, plan)
    passes = Passes(plan, workspace, FLAGS)
    passes.tokenize()
    passes.find_duplicates()
    with pytest.raises(UserError, match="the files hold no documents, as a table of only a header row"):
        passes.learn_vocabulary()
