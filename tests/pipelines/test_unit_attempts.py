from pathlib import Path

import pytest

from pipelines.unit_attempts import attempt, attempts, forget_attempts
from pipelines.workspace import Workspace
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit

UNIT = Unit(3, tuple(FileRange(InputFile(name, 30, 0.0, "lines"), 0, 10) for name in ("a.txt", "b.txt", "b.txt")))


def test_a_unit_at_work_is_marked_and_one_that_is_done_is_not(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    with attempt(workspace, "tokens", UNIT):
        (found,) = attempts(workspace)
        assert (found.stage, found.unit, found.error) == ("tokens", 3, "")
        assert found.label == "unit 3 (a.txt and 1 more)"
    assert attempts(workspace) == []


def test_a_failed_unit_is_marked_with_its_error_until_it_is_done(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    with pytest.raises(OSError, match="No space"), attempt(workspace, "tokens", UNIT):
        raise OSError(28, "No space left on device")
    (found,) = attempts(workspace)
    assert found.summary == "OSError: [Errno 28] No space left on device"
    workspace.record("tokens", 3, {})
    assert attempts(workspace) == []


def test_marks_are_forgotten_and_strange_files_are_passed_over(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    with pytest.raises(ValueError), attempt(workspace, "tokens", UNIT):  # noqa: PT011
        raise ValueError("bad")
    folder = tmp_path / "_work" / "attempts"
    for name, content in (("tokens-000004.failed", b"{"), ("notes.txt", b""), ("tokens-x.failed", b"{}")):
        (folder / name).write_bytes(content)
    assert [each.unit for each in attempts(workspace)] == [3]
    forget_attempts(workspace)
    assert attempts(workspace) == [] and not folder.exists()


def test_marks_that_can_not_be_written_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "_work").write_bytes(b"")
    ran = False
    with attempt(Workspace(str(tmp_path)), "tokens", UNIT):
        ran = True
    assert ran and (tmp_path / "_work").read_bytes() == b""
