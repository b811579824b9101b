"""Temporary folders of processes that live, that end, and that are killed."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from textgen import owned_folders
from textgen.owned_folders import OwnedFolder, own_temporary_files

PROGRAM = """
import sys, tempfile
from textgen.owned_folders import own_temporary_files
with own_temporary_files():
    tempfile.mkdtemp(prefix="beam-pipeline-temp")
    print(tempfile.gettempdir(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def begin() -> tuple["subprocess.Popen[str]", Path]:
    """Begins a process with temporary files; returns it with their folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_a_process_that_ends_leaves_nothing(temporary: Path) -> None:
    process, folder = begin()
    assert folder.parent == temporary and [path.name[:4] for path in folder.iterdir()] == ["beam"]
    process.communicate("")
    assert process.returncode == 0 and list(temporary.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_by_the_next_and_that_of_a_living_one_is_not(
    temporary: Path,
) -> None:
    (killed, theirs), (living, other) = begin(), begin()
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    foreign = temporary / "textgen-fault-1"
    foreign.mkdir()
    (temporary / "textgen-process-link").symlink_to(foreign)
    (temporary / "textgen-process-file").touch()
    kept = {foreign.name, "textgen-process-link", "textgen-process-file", other.name}
    assert {path.name for path in temporary.iterdir()} == {*kept, theirs.name}
    with own_temporary_files():
        mine = Path(tempfile.gettempdir())
        assert {path.name for path in temporary.iterdir()} == {*kept, mine.name}
        assert os.environ["TMPDIR"] == str(mine)
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(temporary)
    living.communicate("")
    assert not other.exists()


def test_a_folder_that_another_process_took_for_abandoned_is_made_again(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, made = owned_folders._lock, []

    def late(descriptor: int) -> bool | None:
        found = [path for path in temporary.iterdir() if path not in made]
        made.extend(found)
        if len(made) == 1:
            found[0].rmdir()
        return lock(descriptor)

    monkeypatch.setattr(owned_folders, "_lock", late)
    with OwnedFolder("estimate") as folder:
        assert folder.is_dir() and folder == made[1]
    assert list(temporary.iterdir()) == []


def test_without_locks_of_the_system_no_folder_counts_as_abandoned(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(owned_folders.fcntl, "flock", refuse)
    with OwnedFolder("estimate") as one, OwnedFolder("estimate") as other:
        assert one.is_dir() and other.is_dir()


def test_a_command_goes_on_where_no_folder_can_be_made(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **settings: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with own_temporary_files():
        assert os.environ["TMPDIR"] == str(temporary)
