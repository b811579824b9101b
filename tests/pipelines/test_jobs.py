from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipelines import runners
from pipelines.job_record import recorded_job
from pipelines.jobs import JobRunner, ProcessUnit, ProcessUnits
from pipelines.workspace import Workspace
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit
from textgen.errors import UserError

UNITS = [Unit(i, (FileRange(InputFile("x", 30, 0.0, "lines"), 0, 10 * (i + 1)),)) for i in range(3)]


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


class Fail:
    """Work that fails on every unit."""

    stage = "fail"

    def __init__(self, error: Exception):
        self._error = error

    def setup(self) -> None:
        """Needs nothing."""

    def process(self, unit: Unit) -> dict[str, Any]:
        raise self._error


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UserError("a.txt is bad. Mend it."), "a.txt is bad. Mend it."),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (FileNotFoundError(2, "No such file or directory", "a.txt"), "[Errno 2] No such file or directory: 'a.txt'"),
        (MemoryError("Unable to allocate 8 EiB"), "Unable to allocate 8 EiB"),
    ],
)
def test_an_error_of_a_worker_is_raised_as_it_is_and_not_logged(
    tmp_path: Path, capfd, workers: int, error: Exception, message: str
) -> None:
    workspace, _ = claimed(tmp_path)
    jobs = JobRunner(workspace, [f"--direct_num_workers={workers}"], input_bytes=1)
    with pytest.raises(type(error)) as raised:
        jobs.run_units("failing", Fail(error), UNITS)
    assert str(raised.value) == message
    assert "Traceback" not in (shown := capfd.readouterr().err) and "ERROR" not in shown


def test_a_mistake_of_ours_in_a_worker_is_raised_with_its_traceback(tmp_path: Path) -> None:
    workspace, _ = claimed(tmp_path)
    jobs = JobRunner(workspace, ["--direct_num_workers=1"], input_bytes=1)
    with pytest.raises(Exception, match="division"):
        jobs.run_units("failing", Fail(ZeroDivisionError("division by zero")), UNITS)


def test_a_job_is_recorded_with_its_number_of_units(tmp_path: Path) -> None:
    workspace, _ = claimed(tmp_path)
    jobs = JobRunner(workspace, ["--direct_num_workers=1"], input_bytes=1)
    jobs.run("looking", beam.Create([1]), units=7)
    job = recorded_job(workspace)
    assert job and (job.title, job.stage, job.units, job.done) == ("looking", "", 7, 0)
