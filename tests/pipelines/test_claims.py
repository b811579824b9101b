import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.claims import (
    claim,
    committed,
    has_vocabulary,
    is_complete,
    release,
    reopen,
    require_own,
)
from pipelines.plan import Plan
from pipelines.recorded_plan import parse_plan
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.readers.base import InputFile
from textgen.dataset.storage.manifest import UnitReport
from textgen.dataset.storage.passed_over import PassedOver, parse
from textgen.errors import UserError
from textgen.files import temporary_name
from textgen.locks import hold
from textgen.text.vocabulary import Vocabulary

CONFIG = PrepareConfig(text=TextConfig())
FILE = InputFile("a.txt", 3, 1.0, "document")


def test_the_same_plan_may_claim_the_folder_again(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "out"))
    claim(workspace.directory, Plan(CONFIG, (FILE,)))
    report = {**UnitReport(unit=3).to_json(), "documents": 1, "kept": 1}
    workspace.record("shards", 3, report)
    claim(workspace.directory, Plan(CONFIG, (FILE,)))
    assert workspace.recorded("shards", 3) == report
    assert workspace.recorded("shards", 4) is None
    assert workspace.recorded_units("shards") == {3}


def test_a_unit_whose_shard_is_lost_is_made_again(make_dataset: Callable[..., Path], tmp_path: Path) -> None:
    made = committed(Workspace(str(make_dataset(tmp_path / "data", train=[[4, 5]]))))
    assert made
    workspace = claim(str(tmp_path / "out"), Plan(CONFIG, (FILE,)))
    workspace.record("shards", 0, made.units[0].to_json())
    claim(workspace.directory, Plan(CONFIG, (FILE,)))
    assert workspace.recorded_units("shards") == set()
    workspace.record("shards", 0, made.units[0].to_json())
    shutil.copy(tmp_path / "data" / "train-000000.tfrecord", tmp_path / "out")
    claim(workspace.directory, Plan(CONFIG, (FILE,)))
    assert workspace.recorded_units("shards") == {0}


def test_the_settings_of_a_plan_at_work_may_be_any(tmp_path: Path) -> None:
    workspace, plan = Workspace(str(tmp_path / "out")), Plan(CONFIG, (FILE,))
    for config in ({}, {"text": 3, "selection": None, "window": {"a": 1}}, {"text": {"case": "\x1b[2J" * 99}}):
        claim(workspace.directory, plan)
        workspace.record_plan("0" * 64, config)
        (tmp_path / "out" / "train-000000.tfrecord").touch()
        with pytest.raises(UserError, match="holds another dataset: .*case is .* there and fold here") as refused:
            claim(workspace.directory, plan)
        assert "\x1b" not in str(refused.value)
        assert len(str(refused.value)) < 3000
        shutil.rmtree(tmp_path / "out")


def test_a_folder_with_unfinished_files_is_claimed_without_them(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / temporary_name("manifest.json")).touch()
    claim(str(out), Plan(CONFIG, (FILE,)))
    (out / "_work" / temporary_name()).mkdir()
    claim(str(out), Plan(CONFIG, (FILE,)))
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*"))
    assert found == ["_work", "_work/plan.json", "inputs.jsonl"]
    foreign = tmp_path / "foreign" / temporary_name("notes.txt")
    foreign.parent.mkdir()
    foreign.touch()
    with pytest.raises(UserError, match="holds other files"):
        claim(str(foreign.parent), Plan(CONFIG, ()))
    assert foreign.exists()


def test_another_plan_is_an_error_that_names_the_difference(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "out"))
    claim(workspace.directory, Plan(CONFIG, (FILE,)))
    shard = tmp_path / "out" / "train-000000.tfrecord"
    shard.write_bytes(b"precious")
    other = PrepareConfig(text=TextConfig(vocabulary_size=9), window=3)
    with pytest.raises(UserError, match="vocabulary size is 8000 there and 9 here") as refused:
        claim(workspace.directory, Plan(other, (FILE,)))
    assert "window is 44 there and 3 here" in str(refused.value)
    with pytest.raises(UserError, match="its input files changed"):
        claim(workspace.directory, Plan(CONFIG, ()))
    assert shard.read_bytes() == b"precious"


def test_a_plan_that_has_made_nothing_gives_way_to_another(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "out"))
    claim(workspace.directory, Plan(CONFIG, (FILE,)))
    workspace.record("vocabulary", 0, {})
    other = Plan(PrepareConfig(text=TextConfig(), split_by="tail"), (FILE,))
    claim(workspace.directory, other)
    assert workspace.recorded_units("vocabulary") == set()
    claim(workspace.directory, other)


def test_what_the_first_run_passed_over_is_kept(tmp_path: Path) -> None:
    workspace = claim(str(tmp_path / "out"), Plan(CONFIG, (FILE,), passed_over=(PassedOver("b", "empty"),)))
    claim(workspace.directory, Plan(CONFIG, (FILE,), passed_over=(PassedOver("c", "empty"),)))
    assert parse(workspace.read("passed_over.jsonl") or b"") == [PassedOver("b", "empty")]
    assert parse_plan(workspace.read("inputs.jsonl") or b"", CONFIG).files == (FILE,)


def test_the_dataset_of_another_command_is_not_taken_for_ones_own(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    workspace = Workspace(str(make_dataset(tmp_path / "data", train=[[4, 5]])))
    dataset, plan = committed(workspace), Plan(CONFIG, (FILE,))
    assert dataset
    own = dataclasses.replace(
        dataset, config=CONFIG, fingerprint=plan.fingerprint(), inputs_sha256=plan.inputs_sha256()
    )
    require_own(workspace, own, plan)
    with pytest.raises(UserError, match="dataset of another command, .*: it was made from other input files. Name"):
        require_own(workspace, dataclasses.replace(own, inputs_sha256="0" * 64), plan)
    other = dataclasses.replace(CONFIG, window=3)
    with pytest.raises(UserError, match="dataset of another command, .*: window is 3 there and 44 here"):
        require_own(workspace, dataclasses.replace(own, config=other), plan)


def test_the_lock_of_a_folder_is_no_file_of_somebody_else(tmp_path: Path) -> None:
    with hold(tmp_path / "out", command="prepare"):
        workspace = claim(str(tmp_path / "out"), Plan(CONFIG, (FILE,)))
        assert workspace.names() == {"inputs.jsonl"}
        release(workspace)
        assert (tmp_path / "out" / "_lock").is_file()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds other files. Name an empty folder"):
        claim(str(tmp_path), Plan(CONFIG, (FILE,)))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="is a file. Name a folder"):
        claim(str(tmp_path / "out"), Plan(CONFIG, (FILE,)))
    assert (tmp_path / "out").read_text() == "mine"


def test_a_dataset_that_lost_its_manifest_gives_way_to_its_own_plan(tmp_path: Path) -> None:
    plan, workspace = Plan(CONFIG, (FILE,)), Workspace(str(tmp_path))
    (tmp_path / "inputs.jsonl").write_bytes(plan.inputs())
    (tmp_path / "train-000000.tfrecord").touch()
    with pytest.raises(UserError, match="holds other files"):
        claim(workspace.directory, Plan(CONFIG, ()))
    claim(workspace.directory, plan)
    assert workspace.names() == {"inputs.jsonl"}


def test_a_released_folder_has_no_work_folder(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    claim(workspace.directory, Plan(CONFIG, (FILE,)))
    release(workspace)
    assert [path.name for path in tmp_path.iterdir()] == ["inputs.jsonl"]


def test_a_given_vocabulary_is_kept_for_the_workers(tmp_path: Path) -> None:
    workspace, given = Workspace(str(tmp_path)), Vocabulary(("sea", "ship"), (0, 0))
    claim(workspace.directory, Plan(CONFIG, (FILE,)))
    config = dataclasses.replace(CONFIG, given_vocabulary=given.fingerprint())
    with pytest.raises(UserError, match="given.jsonl is damaged: it is not the vocabulary that was given"):
        workspace.given_vocabulary(config)
    claim(workspace.directory, Plan(CONFIG, (FILE,), given))
    assert workspace.given_vocabulary(config) == given
    # A stranger may have put a vocabulary there.
    assert workspace.given_vocabulary(CONFIG) is None
    (tmp_path / "_work" / "given.jsonl").write_bytes(Vocabulary(("ship",), (0,)).to_bytes())
    with pytest.raises(UserError, match="given.jsonl is damaged: it is not the vocabulary that was given"):
        workspace.given_vocabulary(config)


def test_a_dataset_with_a_missing_or_truncated_file_is_not_complete(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_dataset(tmp_path / "data", train=[[4, 5]], test=[[6]])
    workspace = Workspace(str(folder))
    dataset = committed(workspace)
    assert dataset and is_complete(workspace, dataset)
    reopen(workspace, dataset)
    assert workspace.recorded_units("shards") == {0} and workspace.is_done("duplicates")
    shard = folder / "test-000000.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-1])
    assert not is_complete(workspace, dataset)
    reopen(workspace, dataset)
    assert workspace.recorded_units("shards") == set()
    (folder / "vocabulary.jsonl").unlink()
    assert not has_vocabulary(workspace, dataset)


def test_a_damaged_manifest_commits_nothing(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    assert committed(Workspace(str(tmp_path))) is None


@pytest.mark.parametrize(
    "work", [lambda data: claim(data, Plan(CONFIG, (FILE,))), lambda data: release(Workspace(data))]
)
def test_a_link_in_the_place_of_the_work_folder_is_refused(work: Callable, tmp_path: Path) -> None:
    elsewhere, data = tmp_path / "elsewhere", tmp_path / "data"
    elsewhere.mkdir()
    data.mkdir()
    (elsewhere / "plan.json").write_text("mine")
    (data / "_work").symlink_to(elsewhere)
    with pytest.raises(UserError, match="_work is a symbolic link"):
        work(str(data))
    assert (elsewhere / "plan.json").read_text() == "mine"


def test_a_link_in_the_place_of_a_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "inputs.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(UserError, match="inputs.jsonl is a symbolic link"):
        Workspace(str(tmp_path)).read("inputs.jsonl")
