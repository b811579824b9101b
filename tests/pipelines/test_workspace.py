import uuid
from pathlib import Path

import pytest

from pipelines.workspace import Workspace
from textgen import files
from textgen.errors import UserError
from textgen.locks import hold
from textgen.locks.owners import this_process


@pytest.fixture(params=["local", "memory"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    return Workspace(str(tmp_path) if request.param == "local" else f"memory://{uuid.uuid4().hex}/out")


def test_a_unit_is_done_with_a_stage_when_its_result_is_recorded(workspace: Workspace) -> None:
    assert workspace.recorded_units("overlap") == set()
    workspace.record("overlap", 3, {"test": 1})
    workspace.record("overlap", 12, {})
    workspace.record("duplicates", 4, {})
    assert (workspace.recorded("overlap", 3), workspace.recorded("overlap", 4)) == ({"test": 1}, None)
    assert workspace.recorded_units("overlap") == {3, 12}
    workspace.forget_unit("overlap", 12)
    assert workspace.recorded_units("overlap") == {3}
    workspace.forget("overlap")
    assert workspace.recorded_units("overlap") == set()
    assert workspace.recorded_units("duplicates") == {4}


def test_a_damaged_record_is_an_error_with_a_remedy(workspace: Workspace) -> None:
    for name in ("overlap/000003.json", "plan.json"):
        files.write_atomically(workspace.work_path(name), b'{"test": -1}')
    with pytest.raises(
        UserError, match=r"overlap/000003.json is damaged: 'test' is -1; .*Delete the folder .*_work and"
    ):
        workspace.recorded("overlap", 3)
    with pytest.raises(UserError, match=r"plan.json is damaged: fingerprint is missing. Delete the folder"):
        workspace.recorded_plan()


def test_the_plan_at_work_is_recorded(workspace: Workspace) -> None:
    assert workspace.recorded_plan() is None
    workspace.record_plan("0" * 64, {"window": 4})
    assert workspace.recorded_plan() == {"fingerprint": "0" * 64, "config": {"window": 4}}
    workspace.forget_plan()
    assert workspace.recorded_plan() is None


def test_other_files_of_a_stage_are_no_results(workspace: Workspace) -> None:
    for name in (
        "000001.tokens",
        "x.json",
        "-1.json",
        "1.json",
        "\u0661\u0661\u0661\u0661\u0661\u0661.json",
        ".json",
    ):
        files.write_atomically(workspace.work_path("tokens", name), b"")
    assert workspace.recorded_units("tokens") == set()


def test_a_file_of_the_work_folder_that_is_too_large_or_a_link_is_not_read(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    workspace.record("overlap", 1, {})
    with (tmp_path / "_work" / "overlap" / "000001.json").open("r+b") as file:
        file.truncate((1 << 28) + 1)
    with pytest.raises(UserError, match="has 268,435,457 bytes; such a file may have at most 268,435,456"):
        workspace.recorded("overlap", 1)
    (tmp_path / "_work" / "overlap" / "000002.json").symlink_to(tmp_path / "secret")
    with pytest.raises(UserError, match="is a symbolic link"):
        workspace.recorded("overlap", 2)


def test_a_stage_is_done_for_all_units_when_that_is_recorded(workspace: Workspace) -> None:
    assert not workspace.is_done("duplicates")
    workspace.record_done("duplicates")
    assert workspace.is_done("duplicates")


def test_files_of_the_dataset_are_replaced_whole(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.read("a") is None
    for content in (b"one", b"two"):
        workspace.publish("a", content)
        assert workspace.read("a") == content
    (tmp_path / "finished").write_bytes(b"three")
    workspace.publish("b", tmp_path / "finished")
    assert workspace.read("b") == b"three"
    assert workspace.names() - {"finished"} == {"a", "b"}


def test_a_file_with_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    workspace.publish_if_changed("a", b"one")
    before = (tmp_path / "a").stat()
    workspace.publish_if_changed("a", b"one")
    after = (tmp_path / "a").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    workspace.publish_if_changed("a", b"two")
    assert workspace.read("a") == b"two"


def test_a_tokenizer_without_a_model_has_an_empty_one(workspace: Workspace) -> None:
    assert workspace.tokenizer_model() == b""
    workspace.publish("tokenizer.model", b"m")
    assert workspace.tokenizer_model() == b"m"


def test_what_a_killed_process_has_not_finished_is_no_file_of_the_dataset_and_is_removed(
    workspace: Workspace,
) -> None:
    workspace.record("tokens", 1, {})
    foreign = files.temporary_name("notes.txt")
    for path in (
        workspace.path(files.temporary_name("manifest.json")),
        workspace.path(foreign),
        workspace.work_path(files.temporary_name()),
        workspace.work_path("tokens", files.temporary_name("000002.json")),
    ):
        files.write_atomically(path, b"")
    assert workspace.names() == {foreign}
    workspace.remove_unfinished()
    assert set(files.list_names(workspace.directory)) == {foreign, "_work"}
    assert files.list_names(workspace.work_path()) == ["tokens"]
    assert files.list_names(workspace.work_path("tokens")) == ["000001.json"]


def test_nothing_is_published_when_another_process_has_taken_the_lock(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has taken it over"), hold(tmp_path, command="prepare"):
        workspace = Workspace.locked(str(tmp_path))
        workspace.publish("a", b"one")
        (tmp_path / "_lock").write_bytes(this_process("repair", folder=0).to_bytes())
        workspace.publish("a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"
