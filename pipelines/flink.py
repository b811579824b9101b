"""Runs the jobs of a preparation on Apache Flink with PyFlink: the cluster needs no server and no jar of Beam."""

import contextlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions
from apache_beam.runners.runner import PipelineResult, PipelineRunner

from pipelines.chain import Chain, Ended, chain_of
from textgen.errors import UserError, require

_PROGRAM = Path(__file__).with_name("flink_job.py")
_CLIENT_OPTIONS = (
    # The client cancels the job when it ends early, and the cluster does it if it does not hear of the client.
    "--shutdownOnAttachedExit",
    "-Dclient.heartbeat.interval=5000",
    "-Dclient.heartbeat.timeout=60000",
    # By default Flink chooses the number of tasks by the bytes of its elements, which here only name the work.
    "-Dexecution.batch.adaptive.auto-parallelism.enabled=false",
)
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of Java for the client, which ends before optimized code would have paid."""

_REST_SECONDS = 5.0
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
            NotImplementedError: it is not a chain.
            RuntimeError: Flink gave up the job.
        """
        chain = chain_of(pipeline)
        if chain.values:
            name = f"textgen prepare {uuid.uuid4().hex}"
            with tempfile.TemporaryDirectory() as folder:
                job = Path(folder, "job")
                job.write_bytes(pickle.dumps(self._job(chain, name)))
                try:
                    # Python imports from the folder of a program first; modules here have names of other libraries.
                    self._run(shutil.copy(_PROGRAM, folder), job)
                except BaseException:
                    self._cancel(name)
                    raise
        return Ended()

    def _job(self, chain: Chain, name: str) -> dict[str, Any]:
        """Returns what `flink_job` reads."""
        python = self._flink.flink_worker_python or sys.executable
        return {
            "name": name,
            "launcher": os.getpid(),
            "elements": [pickle.dumps(value) for value in chain.values],
            "stages": [(work.is_grouped, pickle.dumps(tuple(work))) for work in chain.stage_work()],
            "worker": [python, "-m", "pipelines.chain_worker"],
            "variables": {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        }

    def _run(self, program: str, job: Path) -> None:
        python = self._flink.flink_python or ""
        slots = max(1, self._ask("/overview")["slots-total"])
        command = [
            str(_home(python) / "bin" / "flink"), "run", *_CLIENT_OPTIONS,
            "--jobmanager", self._master, "--parallelism", str(slots),
            "--pyExecutable", python, "--pyClientExecutable", python, "--python", program, str(job),
        ]  # fmt: skip
        variables = {"FLINK_ENV_JAVA_OPTS_CLI": _SHORT_LIVED, **os.environ}
        variables.pop("PYTHONPATH", None)
        ended = subprocess.run(command, capture_output=True, text=True, env=variables)
        if ended.returncode:
            said = ended.stdout + ended.stderr
            found = _TRACEBACK.findall(said)
            raise RuntimeError(found[-1] if found else said[-2_000:])

    def _cancel(self, name: str) -> None:
        """Cancels the job of this name, if the cluster has one and can be reached."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            for job in self._ask("/jobs/overview")["jobs"]:
                if job["name"] == name:
                    self._ask(f"/jobs/{job['jid']}?mode=cancel", "PATCH")

    def _ask(self, path: str, method: str = "GET") -> Any:
        """Returns what the REST server of the JobManager answers."""
        request = urllib.request.Request(f"http://{self._master}{path}", method=method)
        with urllib.request.urlopen(request, timeout=_REST_SECONDS) as answer:
            return json.load(answer)


def require_pyflink(options: PipelineOptions) -> None:
    """Checks that there is a Python with PyFlink.

    Raises:
        UserError: there is no such Python.
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
        raise UserError(
            f"--flink-python {python} cannot be run: {error.strerror}. Give the path of a Python with apache-flink."
        ) from None
    require(ended.returncode == 0, f"--flink-python {python} has no PyFlink. Install apache-flink for it.")
    return Path(ended.stdout.strip())
