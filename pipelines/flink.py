"""Runs the jobs of a preparation on Apache Flink, by PyFlink: the cluster needs no server and no jar of Beam."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions
from apache_beam.runners.runner import PipelineResult, PipelineRunner

from pipelines.chain import Chain, Ended, chain_of
from pipelines.chain_worker import Job
from textgen.errors import UserError, require

_PROGRAM = Path(__file__).with_name("flink_job.py")
_FIND = "import os, pyflink; print(os.path.dirname(pyflink.__file__))"
_TRACEBACK = re.compile(
    r"^(?:Caused by: .*: )?(Traceback \(most recent call last\):\n.*?^\w[\w.]*: [^\n]*)", re.M | re.S
)


class FlinkOptions(PipelineOptions):
    """Options of this engine, besides Beam's `--flink_master`."""

    @classmethod
    def _add_argparse_args(cls, parser: Any) -> None:
        parser.add_argument(
            "--flink_python", default=None, help="Python of launcher and workers that has apache-flink"
        )
        parser.add_argument("--flink_worker_python", default=None, help="Python of the workers that has textgen")


class PyFlinkRunner(PipelineRunner):
    """Runs a chain of steps as a program of PyFlink."""

    def __init__(self, options: PipelineOptions):
        super().__init__()
        self._flink = options.view_as(FlinkOptions)
        self._master = options.view_as(FlinkRunnerOptions).flink_master.rpartition("//")[2]

    def run_pipeline(self, pipeline: beam.Pipeline, options: PipelineOptions) -> PipelineResult:
        """Runs a pipeline to its end.

        Raises:
            NotImplementedError: it is no chain.
            RuntimeError: Flink gave it up.
        """
        chain = chain_of(pipeline)
        if chain.values:
            with tempfile.TemporaryDirectory() as folder:
                job = Path(folder, "job")
                job.write_bytes(pickle.dumps(self._job(chain)))
                # Python imports from the folder of a program first, where modules here have names of other libraries.
                self._run(shutil.copy(_PROGRAM, folder), job)
        return Ended()

    def _job(self, chain: Chain) -> dict[str, Any]:
        """Returns what `flink_job` reads."""
        follows = [stage.is_grouped for stage in chain.stages[1:]] + [False]
        stages = [
            (stage.is_grouped, pickle.dumps(tuple(Job(stage.steps, stage.is_grouped, is_keyed))))
            for stage, is_keyed in zip(chain.stages, follows, strict=True)
        ]
        python = self._flink.flink_worker_python or sys.executable
        return {
            "elements": [pickle.dumps(value) for value in chain.values],
            "stages": stages,
            "worker": [python, "-m", "pipelines.chain_worker"],
            "variables": {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        }

    def _slots(self) -> str:
        """Returns the number of tasks that the cluster runs at the same time."""
        with urllib.request.urlopen(f"http://{self._master}/overview") as answer:
            return str(max(1, json.load(answer)["slots-total"]))

    def _run(self, program: str, job: Path) -> None:
        python = self._flink.flink_python or ""
        # By default Flink chooses the number of tasks by the bytes of its elements, which here only name the work.
        fixed = "-Dexecution.batch.adaptive.auto-parallelism.enabled=false"
        command = [
            str(_home(python) / "bin" / "flink"), "run", fixed,
            "--jobmanager", self._master, "--parallelism", self._slots(),
            "--pyExecutable", python, "--pyClientExecutable", python, "--python", program, str(job),
        ]  # fmt: skip
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        ended = subprocess.run(command, capture_output=True, text=True, env=variables)
        if ended.returncode:
            said = ended.stdout + ended.stderr
            found = _TRACEBACK.findall(said)
            raise RuntimeError(found[-1] if found else said[-2_000:])


def require_pyflink(options: PipelineOptions) -> None:
    """Checks that there is a Python with PyFlink.

    Raises:
        UserError: there is none.
    """
    python = options.view_as(FlinkOptions).flink_python
    require(
        bool(python),
        "--runner flink needs PyFlink, which has another version of Beam than textgen. Install apache-flink, in the "
        "version of the cluster, into a virtual environment of its own, and name its Python by --flink-python.",
    )
    _home(str(python))


def _home(python: str) -> Path:
    try:
        ended = subprocess.run([python, "-c", _FIND], capture_output=True, text=True)
    except OSError as error:
        raise UserError(f"--flink-python {python} cannot be run: {error.strerror}.") from None
    require(ended.returncode == 0, f"--flink-python {python} has no PyFlink. Install apache-flink for it.")
    return Path(ended.stdout.strip())
