import os
import signal
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs import JobRunner
from tests.pipelines.test_jobs import UNITS, claimed
from textgen.corpus.units import Unit


class Die:
    """Work of a unit in a worker process, which is ended by a signal."""

    stage = "die"

    def __init__(self, number: int) -> None:
        self._number = number

    def setup(self) -> None:
        """Needs nothing."""

    def process(self, unit: Unit) -> dict[str, Any]:
        os.kill(os.getpid(), self._number)
        return {}


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("number", "why"),
    [
        (signal.SIGKILL, "SIGKILL, as the system does when memory is short; use fewer workers, as with --direct_num"),
        (signal.SIGABRT, "SIGABRT, as native code does when it gets no memory; use fewer workers, as with --direct"),
    ],
)
def test_a_worker_that_is_killed_ends_the_job(tmp_path: Path, number: int, why: str) -> None:
    workspace, _ = claimed(tmp_path)
    jobs = JobRunner(workspace, ["--direct_num_workers=2", "--direct_running_mode=multi_processing"], input_bytes=1)
    with pytest.raises(ChildProcessError, match=f"^a worker process was ended by {why}"):
        jobs.run_units("dying", Die(number), UNITS)
