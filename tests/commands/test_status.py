import json
from pathlib import Path

import pytest

from pipelines.job_record import record_job
from pipelines.workspace import Workspace
from textgen.cli import main
from textgen.locks import hold


def begun(folder: Path) -> Workspace:
    workspace = Workspace(str(folder))
    workspace.record_plan("0" * 64, {})
    record_job(workspace, title="reading text", stage="tokens", engine="Flink", units=4, done=0)
    workspace.record("tokens", 0, {})
    return workspace


def test_a_running_preparation_is_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    begun(tmp_path)
    with hold(tmp_path, command="prepare"):
        assert main(["status", str(tmp_path)]) == 0
        lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith(f"{tmp_path}: running by `textgen prepare`, process ")
    assert lines[1].startswith("reading text on Flink; about ")
    assert " ".join(lines[2].split()) == "reading text running 1 of 4 units done, 3 left"


def test_an_interrupted_one_has_exit_code_1_and_a_remedy(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    begun(tmp_path)
    assert main(["status", str(tmp_path)]) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "Run the same `textgen prepare` again: it continues."
    assert main(["status", str(tmp_path), "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["state"] == "interrupted"


def test_nothing_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(tmp_path / "none")]) == 2
    assert "is not there" in capfd.readouterr().err
