import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines import flink
from textgen.errors import UserError


def options(python: str, port: int = 8081) -> PipelineOptions:
    return PipelineOptions([f"--flink_master=localhost:{port}", f"--flink_python={python}"])


class JobManager(ThreadingHTTPServer):
    """A REST server with three slots, a job of its own and those in `names`; it notes what it is asked to change."""

    def __init__(self) -> None:
        super().__init__(("localhost", 0), Requests)
        self.names: list[str] = []
        self.changes: list[str] = []


class Requests(BaseHTTPRequestHandler):
    server: JobManager

    def do_GET(self) -> None:
        jobs = [{"jid": str(number), "name": name} for number, name in enumerate(["another", *self.server.names])]
        self._answer({"slots-total": 3} if self.path == "/overview" else {"jobs": jobs})

    def do_PATCH(self) -> None:
        self.server.changes.append(self.path)
        self._answer({})

    def _answer(self, value: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *words: object) -> None:
        """Keeps the output of tests free of requests."""


@pytest.fixture
def manager() -> Iterator[JobManager]:
    with JobManager() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_python_without_pyflink_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="apache-flink.*--flink-python"):
        flink.require_pyflink(PipelineOptions([]))
    with pytest.raises(UserError, match="cannot be run: No such file"):
        flink.require_pyflink(options(str(tmp_path / "python")))
    with pytest.raises(UserError, match="has no PyFlink"):
        flink.require_pyflink(options(sys.executable))


@pytest.fixture
def engine(tmp_path: Path, manager: JobManager) -> flink.PyFlinkRunner:
    """A runner whose `flink` prints its arguments and fails with what is in the file `said`."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "flink"
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words; cat {tmp_path}/said 2>/dev/null && exit 1; exit 0\n')
    script.chmod(0o755)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    python.chmod(0o755)
    return flink.PyFlinkRunner(options(str(python), manager.server_port))


def pipeline() -> beam.Pipeline:
    made = beam.Pipeline()
    _ = made | beam.Create([1]) | beam.Reshuffle() | beam.WithKeys(None) | beam.GroupByKey()
    return made


def test_a_job_is_a_program_of_flink(engine: flink.PyFlinkRunner, manager: JobManager, tmp_path: Path) -> None:
    assert engine.run_pipeline(pipeline(), PipelineOptions([])).wait_until_finish() == "DONE"
    words = (tmp_path / "words").read_text().split()
    given = words.index("--jobmanager")
    assert words[given : given + 4] == ["--jobmanager", f"localhost:{manager.server_port}", "--parallelism", "3"]
    assert not Path(words[-1]).exists(), "the file of the job is removed"
    assert manager.changes == []


def test_a_command_that_is_stopped_cancels_its_job(
    engine: flink.PyFlinkRunner, manager: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def interrupted(command: list[str], **options: object) -> object:
        if command[1] != "run":
            return run(command, **options)
        manager.names.append(pickle.loads(Path(command[-1]).read_bytes())["name"])
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.run_pipeline(pipeline(), PipelineOptions([]))
    assert manager.changes == ["/jobs/1?mode=cancel"]


def test_the_traceback_of_a_worker_is_raised(engine: flink.PyFlinkRunner, tmp_path: Path) -> None:
    said = (
        "Caused by: java.lang.RuntimeException: Traceback (most recent call last):\n  File x\nRuntimeError: Traceback"
    )
    (tmp_path / "said").write_text(f"{said} (most recent call last):\n  File y\nValueError: the reason\n\tat java\n")
    with pytest.raises(RuntimeError, match="ValueError: the reason$"):
        engine.run_pipeline(pipeline(), PipelineOptions([]))
