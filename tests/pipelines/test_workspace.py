import uuid
from pathlib import Path

import pytest

from pipelines.workspace import Workspace


@pytest.fixture(params=["local", "memory"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    return Workspace(str(tmp_path) if request.param == "local" else f"memory://{uuid.uuid4().hex}/out")


def test_a_unit_is_done_with_a_stage_when_its_result_is_recorded(workspace: Workspace) -> None:
    assert workspace.recorded_units("shards") == set()
    workspace.record("shards", 3, {"n": 1})
    workspace.record("shards", 12, {})
    workspace.record("tokens", 4, {})
    assert (workspace.recorded("shards", 3), workspace.recorded("shards", 4)) == ({"n": 1}, None)
    assert workspace.recorded_units("shards") == {3, 12}
    workspace.forget("shards")
    assert workspace.recorded_units("shards") == set()
    assert workspace.recorded_units("tokens") == {4}


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
    assert (tmp_path / "a").stat() == before
    workspace.publish_if_changed("a", b"two")
    assert workspace.read("a") == b"two"


def test_a_tokenizer_without_a_model_has_an_empty_one(workspace: Workspace) -> None:
    assert workspace.tokenizer_model() == b""
    workspace.publish("tokenizer.model", b"m")
    assert workspace.tokenizer_model() == b"m"
