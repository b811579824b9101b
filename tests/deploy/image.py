"""Trials of deploy/Dockerfile without a container engine: its steps run in a clean root, and its entrypoint works.

In place of the base image there is a new virtual environment, and in place of `apache/beam_python3.11_sdk` the boot
program of Beam, built from the Go module of the same version.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import apache_beam

from tests.deploy import dockerfile
from tests.deploy.roots import PYTHON, Root, clean_root
from tests.engines import installation
from tests.engines.clusters import local
from tests.engines.commands import Settings, hashes, make_corpus, prepare
from tests.engines.installation import NotInstalled
from tests.engines.processes import Daemon, answers, free_port, started, wait
from tests.faults.trial import CannotTry, Trial

ROOT = Path(__file__).parents[2]
_FILE = dockerfile.read(ROOT / "deploy" / "Dockerfile")
_SECONDS = 3_000.0
_BOOT = "/opt/apache/beam/boot"
_POOL_PORT = 50_000
"""The port of `boot --worker_pool`, which can't be changed."""


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials."""
    yield Trial("the steps of the Dockerfile, and a job whose workers boot starts", _try_image, _SECONDS)


def _try_image(folder: Path) -> None:
    assert _FILE.arguments["BEAM"] == apache_beam.__version__
    assert _FILE.entrypoint == [_BOOT]
    with clean_root(folder) as root:
        _install_boot(folder, root)
        environment, copied = _build(root)
        _require_boot_arguments(root, environment)
        size = sum(path.stat().st_size for path in root.above.rglob("*") if path.is_file() and not path.is_symlink())
        loops = _loops(root)
        print(f"files of the image beside the base: {size / 1e6:,.0f} MB; {len(loops)} compiled loops", flush=True)
        assert loops and copied
        _try_job(folder, root, environment)
        assert _loops(root) == loops, "a worker has compiled a loop"


def _install_boot(folder: Path, root: Root) -> None:
    """Builds Beam's boot program into the root, in place of the stage `beam`."""
    if shutil.which("go") is None:
        raise CannotTry("the machine has no go, which builds Beam's boot program")
    module = f"github.com/apache/beam/sdks/v2/python/container@v{_FILE.arguments['BEAM']}"
    ended = subprocess.run(
        ["go", "install", module], capture_output=True, text=True, env={**os.environ, "GOBIN": str(folder / "go")}
    )
    if ended.returncode:
        raise CannotTry(f"`go install {module}`: {ended.stderr.strip()[-300:]}")
    root.copy(folder / "go" / "container", _BOOT)


def _build(root: Root) -> tuple[dict[str, str], list[str]]:
    """Runs the instructions; returns the environment of the image, and what was copied from this project."""
    environment: dict[str, str] = {}
    arguments: dict[str, str] = {}
    place, copied = "/", []
    for each in _FILE.instructions:
        if each.name == "WORKDIR":
            place = each.rest
        elif each.name == "COPY" and not each.rest.startswith("--from="):
            *sources, target = each.rest.split()
            for source in sources:
                inside = f"{place}/{target}".removesuffix("./") + (source if target == "./" else "")
                root.copy(ROOT / source, inside)
                copied.append(source)
        elif each.name == "ENV":
            environment |= dockerfile.environment(_FILE, each)
        elif each.name == "ARG":
            arguments |= dockerfile.environment(_FILE, each)
        elif each.name == "RUN":
            root.run(["sh", "-c", each.rest], folder=place, **environment, **arguments)
        else:
            assert each.name in ("COPY", "ENTRYPOINT"), each
    return environment, copied


def _require_boot_arguments(root: Root, environment: dict[str, str]) -> None:
    """Checks that the entrypoint takes what engines pass to it, and says what it lacks."""
    for words, message in (([], "No id provided"), (["--id=1"], "No provision endpoint provided")):
        ended = subprocess.run(root.command([_BOOT, *words], **environment), capture_output=True, text=True)
        assert ended.returncode == 1 and message in ended.stderr, ended
    ended = subprocess.run(root.command([_BOOT, "--help"], **environment), capture_output=True, text=True)
    told = set(re.findall(r"^  -(\w+)", ended.stderr, re.MULTILINE))
    assert {"id", "logging_endpoint", "artifact_endpoint", "provision_endpoint", "control_endpoint"} <= told, told


def _try_job(folder: Path, root: Root, environment: dict[str, str]) -> None:
    """Prepares a dataset on Prism with workers of the image, which has not imported the launcher's textgen."""
    try:
        installation.install_prism()
    except NotInstalled as reason:
        raise CannotTry(str(reason)) from None
    corpus = make_corpus(root.shared / "texts.txt", documents=500, size=250_000)
    settings = Settings(corpus, "spans", "word", near=0)
    with local(folder) as cluster:
        assert prepare(cluster, settings, root.shared / "expected").code == 0
    port = free_port()
    prism = Daemon([str(installation.PRISM), f"--job_port={port}", "--serve_http=false"], folder / "prism.log")
    pool = Daemon(root.command([_BOOT, "--worker_pool"], **environment), folder / "pool.log")
    with started(prism, pool):
        wait(lambda: answers(_POOL_PORT), "the pool of workers starts")
        options = ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}"]
        options += ["--environment_type=EXTERNAL", f"--environment_config=localhost:{_POOL_PORT}"]
        ended = prepare(cluster._replace(options=options), settings, root.shared / "data")
    assert ended.code == 0, (ended, pool.log[-3000:])
    assert "Starting worker with command ['/opt/apache/beam/boot'" in pool.log, pool.log
    assert hashes(root.shared / "data") == hashes(root.shared / "expected")


def _loops(root: Root) -> dict[str, int]:
    """Returns the time of the last change of each compiled loop in the image."""
    python = root.above / PYTHON.lstrip("/")
    return {path.name: path.stat().st_mtime_ns for path in python.rglob("*.nb[ci]") if "textgen" in path.parts}
