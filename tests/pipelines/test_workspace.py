from pathlib import Path

import pytest

from pipelines.plan import Plan
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.units import InputFile
from textgen.errors import UserError

CONFIG = PrepareConfig(text=TextConfig())
FILE = InputFile("a.txt", 3, 1.0, "document")


def test_the_fingerprint_tells_settings_and_inputs_apart() -> None:
    plans = [
        Plan(CONFIG, (FILE,)),
        Plan(PrepareConfig(text=TextConfig(), window=3), (FILE,)),
        Plan(CONFIG, (InputFile("a.txt", 4, 1.0, "document"),)),
        Plan(CONFIG, (InputFile("a.txt", 3, 2.0, "document"),)),
    ]
    assert len({plan.fingerprint() for plan in plans}) == len(plans)
    assert plans[0].fingerprint() == Plan(CONFIG, (FILE,)).fingerprint()


def test_the_same_plan_may_claim_the_folder_again(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "out"))
    workspace.claim(Plan(CONFIG, (FILE,)))
    workspace.record("shards", 3, {"n": 1})
    workspace.claim(Plan(CONFIG, (FILE,)))
    assert workspace.recorded("shards", 3) == {"n": 1}
    assert workspace.recorded("shards", 4) is None
    assert workspace.recorded_units("shards") == {3}


def test_another_plan_is_refused_and_told_what_differs(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "out"))
    workspace.claim(Plan(CONFIG, (FILE,)))
    shard = tmp_path / "out" / "train-000000.tfrecord"
    shard.write_bytes(b"precious")
    other = PrepareConfig(text=TextConfig(vocabulary_size=9), window=3)
    with pytest.raises(UserError, match="vocabulary size is 8000 there and 9 here") as refused:
        workspace.claim(Plan(other, (FILE,)))
    assert "window is 44 there and 3 here" in str(refused.value)
    with pytest.raises(UserError, match="its input files changed"):
        workspace.claim(Plan(CONFIG, ()))
    assert shard.read_bytes() == b"precious"


def test_a_plan_that_has_made_nothing_gives_way_to_another(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "out"))
    workspace.claim(Plan(CONFIG, (FILE,)))
    workspace.record("vocabulary", 0, {})
    other = Plan(PrepareConfig(text=TextConfig(), split_by="tail"), (FILE,))
    workspace.claim(other)
    assert workspace.recorded_units("vocabulary") == set()
    workspace.claim(other)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds other files. Name an empty folder"):
        Workspace(str(tmp_path)).claim(Plan(CONFIG, (FILE,)))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="is a file. Name a folder"):
        Workspace(str(tmp_path / "out")).claim(Plan(CONFIG, (FILE,)))
    assert (tmp_path / "out").read_text() == "mine"
