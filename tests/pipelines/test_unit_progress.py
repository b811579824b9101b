import io
import time
from pathlib import Path

import pytest

from pipelines import unit_progress
from pipelines.unit_progress import progress
from pipelines.workspace import Workspace
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit

UNITS = [Unit(i, (FileRange(InputFile("x", 30, 0.0, "lines"), 0, 10 * (i + 1)),)) for i in range(3)]


def test_the_bar_counts_recorded_bytes(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    workspace.record("measure", 0, {})
    shown = io.StringIO()
    with progress("measuring", "measure", UNITS, workspace, shown):
        workspace.record("measure", 2, {})
    assert "measuring:  67%" in shown.getvalue() and "40.0/60.0" in shown.getvalue()


def test_a_store_that_is_slow_is_listed_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_progress, "_POLL_SECONDS", 0.01)
    listed = list[float]()

    def list_slowly(self: Workspace, stage: str) -> set[int]:
        listed.append(time.monotonic())
        time.sleep(0.03)
        return set()

    monkeypatch.setattr(Workspace, "recorded_units", list_slowly)
    with progress("measuring", "measure", UNITS, Workspace(str(tmp_path)), io.StringIO()):
        time.sleep(0.4)
    # Once before, once in the time of the sleep, and once at the end.
    assert len(listed) <= 4


def test_a_job_that_stands_still_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_progress, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(unit_progress, "_STILL_SECONDS", 0.1)
    workspace, shown = Workspace(str(tmp_path)), io.StringIO()

    def times() -> int:
        return shown.getvalue().count("no unit has ended for ")

    with progress("measuring", "measure", UNITS, workspace, shown):
        deadline = time.monotonic() + 30
        while times() < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert times() >= 2
        for unit in range(3):
            workspace.record("measure", unit, {})
        # What follows the last unit is no unit.
        time.sleep(0.2)
        told = times()
        time.sleep(0.3)
        assert times() == told
    assert f"`textgen status {tmp_path}`" in shown.getvalue()
