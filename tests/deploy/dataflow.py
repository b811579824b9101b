"""Trials of `--runner dataflow` against a server in place of the service, with a store in place of Google's."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import apache_beam
from apache_beam.portability.api import beam_runner_api_pb2

import textgen
from tests.deploy.dataflow_service import REQUEST_BYTES, Job, Service, service
from tests.faults.trial import CannotTry, Trial
from tests.stores.servers import Store, google
from tests.stores.store_commands import hashes, local_hashes, make_texts, prepare_words, run, start, upload

_SECONDS = 900.0
_IMAGE = "us-docker.pkg.dev/whales/images/textgen:1"
_STAGES = ("Tokens", "Vocabulary", "Shards")
_MANY = 100_000
_MILLION = 1_000_000


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials."""
    yield Trial("a preparation by the staged package", _try_preparation, _SECONDS)
    yield Trial("the options of a job", _try_options, _SECONDS)
    yield Trial("a job that fails", _try_failure, _SECONDS)
    yield Trial("a command that is stopped cancels its job", _try_signal, _SECONDS)
    for count in (_MANY, _MILLION) if full else (_MANY,):
        yield Trial(f"the size of a job of {count:,} units", functools.partial(_try_size, count), 3 * _SECONDS)


@contextlib.contextmanager
def _servers(folder: Path, *, runs_jobs: bool = True) -> Iterator[tuple[Store, Service, list[str]]]:
    """Runs both servers, and yields them and the options of a command."""
    try:
        import apache_beam.runners.dataflow.internal.apiclient  # noqa: F401
    except ImportError:
        raise CannotTry("the extra [gcp] is not installed") from None
    (folder / "jobs").mkdir()
    with google(folder) as store:
        address = store.environment["STORAGE_EMULATOR_HOST"]
        with service(folder / "jobs", store=address, runs_jobs=runs_jobs) as found:
            options = [
                "--runner=dataflow", f"--dataflow_endpoint={found.address}", "--project=whales",
                "--region=sea-north1", f"--temp_location={store.root}/tmp",
            ]  # fmt: skip
            yield store, found, options


def _try_preparation(folder: Path) -> None:
    texts = make_texts(folder)
    expected = local_hashes(folder, texts)
    with _servers(folder) as (store, found, options):
        data = f"{store.root}/data"
        told = run([*prepare_words(upload(texts, store), data), *options], store)
        assert hashes(data) == expected
    assert "workers install textgen" in told, told
    names = [name for job in found.jobs for name in _steps(job)]
    assert [name for name in names if name in _STAGES] == list(_STAGES), names
    for job in found.jobs:
        assert (job.project, job.region, job.state) == ("whales", "sea-north1", "JOB_STATE_DONE")
        assert job.size < REQUEST_BYTES
        # Without an image of the user: that of Beam, and textgen as a package.
        image = job.pool["workerHarnessContainerImage"]
        assert image.endswith(f"_sdk:{apache_beam.__version__}"), image
        (wheel,) = (job.folder / name for name in job.packages if name.endswith(".whl"))
        assert wheel.name == f"textgen_stream-{textgen.__version__}-py3-none-any.whl"
        inside = set(zipfile.ZipFile(wheel).namelist())
        assert {"textgen/cli.py", "textgen/presets/char.toml", "pipelines/write_shards.py"} <= inside
        required = zipfile.ZipFile(wheel).read(f"textgen_stream-{textgen.__version__}.dist-info/METADATA").decode()
        assert "Requires-Dist: tensorflow" in required and "Requires-Dist: gcsfs" in required, required


def _try_options(folder: Path) -> None:
    given = [
        f"--sdk_container_image={_IMAGE}", "--machine_type=n2-standard-8", "--disk_size_gb=50",
        "--max_num_workers=20", "--flexrs_goal=COST_OPTIMIZED", "--labels=corpus=whales",
    ]  # fmt: skip
    (job,), _ = _failed(folder, given)
    pool, environment = job.pool, job.description["environment"]
    assert pool["workerHarnessContainerImage"] == _IMAGE
    assert [each["containerImage"] for each in pool["sdkHarnessContainerImages"]] == [_IMAGE]
    assert (pool["machineType"], pool["diskSizeGb"], pool["numThreadsPerWorker"]) == ("n2-standard-8", 50, 1)
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 20
    assert environment["flexResourceSchedulingGoal"] in (2, "FLEXRS_COST_OPTIMIZED")
    assert job.description["labels"] == {"corpus": "whales"}
    assert not [name for name in job.packages if name.endswith((".whl", ".tar.gz"))], job.packages
    assert job.options["temp_location"].startswith("gs://corpora/tmp/")
    assert _steps(job)[0] == "Tokens"


def _try_failure(folder: Path) -> None:
    _, told = _failed(folder, [f"--sdk_container_image={_IMAGE}"])
    lines = [line for line in told.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and "no machines of this type" in lines[0], told
    assert "mistake" not in told


def _failed(folder: Path, options: list[str]) -> tuple[list[Job], str]:
    """Returns the jobs of a command whose first job fails, and what the command says."""
    texts = make_texts(folder)
    with _servers(folder, runs_jobs=False) as (store, found, servers):
        words = [*prepare_words(upload(texts, store), f"{store.root}/data"), *servers, *options]
        return found.jobs, run(words, store, code=1)


def _try_signal(folder: Path) -> None:
    texts = make_texts(folder, files=40)
    with _servers(folder) as (store, found, options):
        process = start([*prepare_words(upload(texts, store), f"{store.root}/data"), *options], store)
        _wait(lambda: any(job.asked for job in found.jobs) or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143, process.communicate()
        (job,) = found.jobs
        assert job.description.get("requestedState") in (5, "JOB_STATE_CANCELLED"), job.description


def _try_size(count: int, folder: Path) -> None:
    """Submits the job of the first stage of so many units, which are one file each."""
    with _servers(folder, runs_jobs=False) as (store, found, options):
        command = [sys.executable, "-m", "tests.deploy.dataflow_size", str(count), str(folder / "data"), *options]
        subprocess.run(command, check=False, env={**os.environ, **store.environment}, cwd=Path(__file__).parents[2])
        (job,) = found.jobs
        sizes = {"request": job.size, "pipeline": (job.folder / "pipeline.pb").stat().st_size}
        print(f"{count:,} units: {json.dumps(sizes)} bytes", flush=True)
        assert sum(sizes.values()) * (_MILLION / count) < REQUEST_BYTES, sizes


def _steps(job: Job) -> list[str]:
    """Returns the names of the top steps of a job."""
    pipeline = beam_runner_api_pb2.Pipeline.FromString((job.folder / "pipeline.pb").read_bytes())
    names = [each.unique_name for each in pipeline.components.transforms.values()]
    return list(dict.fromkeys(name.partition("/")[0] for name in names if name))


def _wait(is_so: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
