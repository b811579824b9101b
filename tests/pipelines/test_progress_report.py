import json
from pathlib import Path

import pytest

from pipelines.job_record import record_job
from pipelines.progress_report import report_progress
from pipelines.unit_attempts import attempt
from pipelines.workspace import Workspace
from textgen.cli import main
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit
from textgen.errors import UserError
from textgen.locks import hold


@pytest.fixture(params=["local", "memory"])
def begun(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """A preparation of 5 units, of which the first pass has done 2 and failed in 1."""
    folder = str(tmp_path / "data") if request.param == "local" else f"memory://{tmp_path.name}/data"
    workspace = Workspace(folder)
    workspace.record_plan("0" * 64, {})
    record_job(workspace, title="reading text", stage="tokens", engine="Flink", units=5, done=0)
    for unit in range(2):
        workspace.record("tokens", unit, {})
    with pytest.raises(OSError, match="disk"), attempt(workspace, "tokens", unit_of(2)):
        raise OSError("the disk is full")
    return workspace


def unit_of(number: int) -> Unit:
    return Unit(number, (FileRange(InputFile("a.txt", 30, 0.0, "lines"), 0, 10),))


def test_what_is_done_running_and_left_is_told(begun: Workspace) -> None:
    with hold(begun.directory, command="prepare"), attempt(begun, "tokens", unit_of(3)):
        report = report_progress(begun.directory)
    assert report.state == "running" and report.dataset is None
    first, _, _, last = report.stages
    assert (first.state, first.units, first.done, first.running, first.left) == ("running", 5, 2, 1, 2)
    assert (last.title, last.state, last.left) == ("writing shards", "left", 5)
    assert report.seconds_left is not None and report.seconds_left >= 0
    assert {each.unit: bool(each.error) for each in report.attempts} == {2: True, 3: False}
    values = json.loads(json.dumps(report.to_json()))
    assert values["process"]["command"] == "prepare" and values["job"]["engine"] == "Flink"
    assert values["failed"][0]["error"] == "OSError: the disk is full" and values["running"][0]["unit"] == 3


def test_a_preparation_without_a_process_has_failed_or_was_interrupted(begun: Workspace) -> None:
    assert report_progress(begun.directory).state == "failed"
    begun.record("tokens", 2, {})
    report = report_progress(begun.directory)
    assert (report.state, report.seconds_left) == ("interrupted", None)
    assert report.stages[0].state == "interrupted"


def test_a_folder_without_a_preparation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there. Begin one with `textgen prepare"):
        report_progress(str(tmp_path / "none"))
    with pytest.raises(UserError, match="holds no dataset, and no preparation has begun there"):
        report_progress(str(tmp_path))


def test_a_complete_dataset_is_told_with_its_counts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("call me ishmael some years ago\n" * 9)
    options = ["--format", "lines", "--split-by", "tail", "--test-percent", "20", "--validation-percent", "20"]
    assert main(["prepare", "--input", str(tmp_path / "a.txt"), "--output", str(tmp_path / "data"), *options]) == 0
    report = report_progress(str(tmp_path / "data"))
    assert (report.state, report.stages, report.job) == ("complete", (), None)
    assert report.to_json()["dataset"]["pairs"]["train"] > 0
