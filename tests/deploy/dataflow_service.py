"""A server in place of the Dataflow service: it keeps the jobs that it receives, and runs them as the service would.

It speaks the REST interface of https://docs.cloud.google.com/dataflow/docs/reference/rest. A job's pipeline and
packages are read from the store where Beam has staged them. Its worker is a process that has textgen from the staged
package alone, as a worker of the service has it without an image.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

REQUEST_BYTES = 10_000_000
"""The service refuses a larger request: https://docs.cloud.google.com/dataflow/quotas"""

_JOBS = re.compile(r"/v1b3/projects/([^/]+)/locations/([^/]+)/jobs(?:/([^/?]+))?(/messages)?")
_WORKER = Path(__file__).with_name("dataflow_worker.py")


class Job:
    """A job that was submitted.

    Attributes:
        description: the request, as JSON values, with the state of the job.
        project: name of the project.
        region: name of the region.
        size: size of the request in bytes.
        folder: folder with the staged files, and the log of the worker.
        process: its worker; None if it is not run.
        asked: how often a client has asked for its state.
    """

    def __init__(self, description: dict[str, Any], project: str, region: str, size: int, folder: Path):
        self.description, self.project, self.region, self.size = description, project, region, size
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.asked = 0

    @property
    def pool(self) -> dict[str, Any]:
        """The description of its workers."""
        (pool,) = self.description["environment"]["workerPools"]
        return dict(pool)

    @property
    def options(self) -> dict[str, Any]:
        """The pipeline options, as workers receive them."""
        return dict(self.description["environment"]["sdkPipelineOptions"]["options"])

    @property
    def packages(self) -> dict[str, str]:
        """The URL of each staged file by its name."""
        return {each["name"]: _url(each["location"]) for each in self.pool.get("packages", [])}

    @property
    def state(self) -> str:
        """The state, as the interface spells it."""
        if self.process is not None and self.description["currentState"] == "JOB_STATE_RUNNING":
            code = self.process.poll()
            if code is not None:
                self.description["currentState"] = "JOB_STATE_DONE" if code == 0 else "JOB_STATE_FAILED"
        return str(self.description["currentState"])

    def stage(self, store: str) -> None:
        """Copies the staged files to the folder.

        Args:
            store: address of the store.
        """
        urls = {"pipeline.pb": self.options["pipelineUrl"], **self.packages}
        for name, url in urls.items():
            bucket, _, path = url.removeprefix("gs://").partition("/")
            with urlopen(f"{store}/storage/v1/b/{bucket}/o/{quote(path, safe='')}?alt=media") as answer:
                (self.folder / name).write_bytes(answer.read())

    def start(self) -> None:
        """Installs the staged packages, without what they require, and starts the worker."""
        installed = self.folder / "installed"
        listed = self.folder / "extra_packages.txt"
        names = listed.read_text().split() if listed.exists() else []
        names += [each.name for each in self.folder.glob("workflow.tar.gz")]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run([*pip, "--target", str(installed), *(str(self.folder / name) for name in names)], check=True)
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        with (self.folder / "worker.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(_WORKER), str(self.folder / "pipeline.pb"), str(installed)],
                stdout=log, stderr=log, env=environment, cwd=self.folder,
            )  # fmt: skip


def _url(location: str) -> str:
    return "gs://" + location.removeprefix("storage.googleapis.com/")


class Service:
    """The server.

    Attributes:
        address: URL for `--dataflow_endpoint`.
        jobs: the jobs so far.
    """

    def __init__(self, server: ThreadingHTTPServer, jobs: list[Job]):
        self.address, self.jobs = f"http://localhost:{server.server_address[1]}", jobs


@contextlib.contextmanager
def service(folder: Path, *, store: str, runs_jobs: bool = True) -> Iterator[Service]:
    """Runs the server.

    Args:
        folder: an existing folder, for those of the jobs.
        store: address of the store with Google's interface.
        runs_jobs: False for jobs that fail when they are asked for the second time.
    """
    jobs: list[Job] = []

    class Handler(_Handler):
        pass

    Handler.jobs, Handler.folder, Handler.store, Handler.runs_jobs = jobs, folder, store, runs_jobs
    server = ThreadingHTTPServer(("localhost", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Service(server, jobs)
    finally:
        server.shutdown()
        server.server_close()
        for job in jobs:
            if job.process:
                job.process.kill()
                job.process.wait()


class _Handler(BaseHTTPRequestHandler):
    jobs: list[Job]
    folder: Path
    store: str
    runs_jobs: bool

    def do_POST(self) -> None:  # noqa: N802 - The name is that of the standard library.
        size = int(self.headers["Content-Length"])
        if size > REQUEST_BYTES:
            self._answer({"error": {"code": 400, "message": "Request payload size exceeds the limit"}}, 400)
            return
        found = _JOBS.match(self.path)
        assert found and not found[3], self.path
        description = json.loads(self.rfile.read(size))
        number = f"job-{len(self.jobs)}"
        (self.folder / number).mkdir()
        description.update(id=number, currentState="JOB_STATE_RUNNING")
        job = Job(description, found[1], found[2], size, self.folder / number)
        self.jobs.append(job)
        job.stage(self.store)
        if self.runs_jobs:
            job.start()
        self._answer(description)

    def do_GET(self) -> None:  # noqa: N802
        found = _JOBS.match(self.path)
        assert found and found[3], self.path
        job = next(each for each in self.jobs if each.description["id"] == found[3])
        if found[4]:
            text = (job.folder / "worker.log").read_text() if job.process else "no machines of this type"
            messages = [{
                "id": "1", "time": "2026-01-01T00:00:00Z", "messageText": text,
                "messageImportance": "JOB_MESSAGE_ERROR",
            }]  # fmt: skip
            self._answer({"jobMessages": messages if job.state == "JOB_STATE_FAILED" else []})
        else:
            job.asked += 1
            if not self.runs_jobs and job.asked > 1:
                job.description["currentState"] = "JOB_STATE_FAILED"
            self._answer({**job.description, "currentState": job.state})

    def do_PUT(self) -> None:  # noqa: N802
        found = _JOBS.match(self.path)
        assert found and found[3], self.path
        job = next(each for each in self.jobs if each.description["id"] == found[3])
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        job.description["requestedState"] = asked["requestedState"]
        job.description["currentState"] = asked["requestedState"]
        if job.process:
            job.process.kill()
        self._answer(job.description)

    def _answer(self, content: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass
