import os
import subprocess
import sys
import time
from pathlib import Path

from pipelines.progress_report import report_progress
from textgen.api.background import log_path


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from textgen.cli import main; main()", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "TEXTGEN_TEXT": ""}
    )


def test_a_preparation_goes_on_when_its_command_has_left(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("call me ishmael some years ago\n" * 20_000)
    paths = ["--input", tmp_path / "a.txt", "--output", tmp_path / "data"]
    left = run("prepare", *paths, "--format", "lines", "--test-percent", 0, "--validation-percent", 0, "--detach")
    assert left.returncode == 0, left
    # A short preparation may be complete by then.
    if "goes on in the background as process " in left.stderr:
        end = time.monotonic() + 120
        while report_progress(str(tmp_path / "data")).state == "running":
            assert time.monotonic() < end
            time.sleep(0.2)
    assert report_progress(str(tmp_path / "data")).state == "complete", (tmp_path / "data.log").read_text()
    assert "input " in (tmp_path / "data.log").read_text()


def test_an_error_before_the_first_job_is_told_with_its_exit_code(tmp_path: Path) -> None:
    failed = run("prepare", "--input", tmp_path / "none.txt", "--output", tmp_path / "data", "--detach")
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: ") and "none.txt" in failed.stderr


def test_the_messages_are_beside_the_folder(tmp_path: Path) -> None:
    assert log_path(f"{tmp_path}/data/") == tmp_path / "data.log"
    assert log_path("s3://bucket/a/data") == Path("data.log")
