import os
import signal
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs import JobRunner
from tests.pipelines.test_jobs import UNITS, claimed
from textgen.corpus.units import Unit


class Die:
    """Work of a unit in a worker process, which is killed."""

    stage = "die"

    def setup(self) -> None:
        """Needs nothing."""

    def process(self, unit: Unit) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_is_killed_ends_the_job(tmp_path: Path) -> None:
    workspace, _ = claimed(tmp_path)
    jobs = JobRunner(workspace, ["--direct_num_workers=2", "--direct_running_mode=multi_processing"], input_bytes=1)
    with pytest.raises(ChildProcessError, match="^a worker process was ended by SIGKILL, as the system does when "):
        jobs.run_units("dying", Die(), UNITS)
