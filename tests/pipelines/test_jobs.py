import io
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from pipelines import runners
from pipelines.jobs import ProcessUnit, ProcessUnits, progress
from pipelines.workspace import Workspace
from textgen.corpus.readers.base import FileRange
from textgen.corpus.units import Unit

UNITS = [Unit(i, (FileRange("x", 0, 10 * (i + 1), "lines"),)) for i in range(3)]


class Measure:
    """A work that tells the size of a unit, and leaves a mark for each time that it is done."""

    stage = "measure"

    def __init__(self, marks: Path):
        self._marks = marks

    def setup(self) -> None:
        self._ready = True

    def process(self, unit: Unit) -> dict[str, Any]:
        assert self._ready
        (self._marks / f"{unit.index}-{len(list(self._marks.iterdir()))}").touch()
        return {"bytes": unit.bytes}


def claimed(tmp_path: Path) -> tuple[Workspace, Measure]:
    (tmp_path / "out" / "_work" / "measure").mkdir(parents=True)
    (tmp_path / "marks").mkdir()
    return Workspace(str(tmp_path / "out")), Measure(tmp_path / "marks")


def test_each_unit_gives_one_result(tmp_path: Path) -> None:
    workspace, work = claimed(tmp_path)
    with beam.Pipeline(runner=runners.FnApiRunner()) as pipeline:
        results = pipeline | ProcessUnits(UNITS, work, workspace)
        assert_that(results, equal_to([{"bytes": 10}, {"bytes": 20}, {"bytes": 30}]))
    assert workspace.recorded_units("measure") == {0, 1, 2}


def test_a_recorded_unit_is_not_done_again(tmp_path: Path) -> None:
    workspace, work = claimed(tmp_path)
    do = ProcessUnit(work, workspace)
    do.setup()
    first, second = list(do.process(UNITS[1])), list(do.process(UNITS[1]))
    assert first == second == [{"bytes": 20}]
    assert len(list((tmp_path / "marks").iterdir())) == 1


def test_the_bar_counts_recorded_bytes(tmp_path: Path) -> None:
    workspace, _ = claimed(tmp_path)
    workspace.record("measure", 0, {})
    shown = io.StringIO()
    with progress("measuring", "measure", UNITS, workspace, shown):
        workspace.record("measure", 2, {})
    assert "measuring:  67%" in shown.getvalue() and "40.0/60.0" in shown.getvalue()
