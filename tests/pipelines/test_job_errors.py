from pathlib import Path
from typing import Any

import pytest

from pipelines.job_errors import unit_errors
from pipelines.jobs import JobRunner
from pipelines.workspace import Workspace
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit
from textgen.errors import UserError

UNITS = [Unit(i, (FileRange(InputFile("x", 30, 0.0, "lines"), 0, 10),)) for i in range(3)]


class Fail:
    """Work that fails on every unit."""

    stage = "fail"

    def __init__(self, error: Exception):
        self._error = error

    def setup(self) -> None:
        """Needs nothing."""

    def process(self, unit: Unit) -> dict[str, Any]:
        raise self._error


@pytest.mark.parametrize("error", [UserError("bad text."), OSError(28, "No space left on device")])
def test_an_error_has_a_note_of_its_unit_even_if_the_engine_hides_it(tmp_path: Path, error: Exception) -> None:
    workspace = Workspace(str(tmp_path))
    jobs = JobRunner(workspace, ["--direct_num_workers=1"], input_bytes=1)
    with pytest.raises(type(error)) as raised:
        jobs.run_units("failing", Fail(error), UNITS)
    assert raised.value.__notes__ == ["failing, unit 0 (x)"]
    with pytest.raises(type(error)) as raised, unit_errors("failing", workspace):
        raise RuntimeError("the job has failed; see the log of the service")
    assert str(raised.value) == str(error) and raised.value.__notes__ == ["failing, unit 0 (x)"]
