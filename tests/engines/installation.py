"""Installs engines in pinned versions, whose checksums are verified, into the folder `.engines` of the project.

Each is installed by the ordinary client of its registry: `go install` and `pip`. What the machine lacks is told by
name.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import apache_beam

FOLDER = Path(__file__).parents[2] / ".engines"
PRISM = FOLDER / "bin" / "prism"
SPARK = FOLDER / "spark"
"""Folder for PYTHONPATH that holds PySpark, and with it the jars and scripts of Spark."""

_PRISM_MODULE = "github.com/apache/beam/sdks/v2"
_PRISM_SUMS = {"2.77.0": "h1:RsC61pHEvtySEHAURQyP/+CVOJm/hy5hewuG9JF0+Ow="}
"""Checksums of the Go module by version, which must be that of the installed apache-beam."""

_SPARK_REQUIREMENTS = """\
pyspark==3.5.9 --hash=sha256:ea27adc39ddac9413b8951e45aa748cbed6c785971b81386efc41938f6243d93
py4j==0.10.9.9 --hash=sha256:c7c26e4158defb37b0bb124933163641a2ff6e3a3913f7811b0ddbe07ed61533
"""


class NotInstalled(Exception):  # noqa: N818 - It is not an error.
    """The machine lacks what an engine needs; the message names it."""


def install_prism() -> None:
    """Installs Prism from Beam's Go module.

    Raises:
        NotInstalled: there is no Go, or no way to its registry.
    """
    version = apache_beam.__version__
    if PRISM.is_file() and (FOLDER / "prism.version").read_text() == version:
        return
    _require("go")
    found = _run(["go", "mod", "download", "-json", f"{_PRISM_MODULE}@v{version}"])
    checksum = json.loads(found).get("Sum", "")
    assert checksum == _PRISM_SUMS[version], f"the Go module of Beam {version} has the checksum {checksum}"
    _run(["go", "install", f"{_PRISM_MODULE}/go/cmd/prism@v{version}"], GOBIN=str(PRISM.parent))
    (FOLDER / "prism.version").write_text(version)


def install_spark() -> None:
    """Installs PySpark, which holds all of Spark, beside the environment of the project.

    Raises:
        NotInstalled: there is no Java, or no way to the registry.
    """
    _require("java")
    _pip_install(SPARK, _SPARK_REQUIREMENTS)


def _pip_install(folder: Path, requirements: str) -> None:
    installed = folder / "requirements.txt"
    if installed.is_file() and installed.read_text() == requirements:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wanted = folder.with_suffix(".txt")
    wanted.write_text(requirements)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", "--require-hashes", "--target", str(folder), "--requirement", str(wanted)])
    wanted.rename(installed)


def _require(program: str) -> None:
    if shutil.which(program) is None:
        raise NotInstalled(f"the machine has no {program}")


def _run(command: list[str], **variables: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables})
    if ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-1:] or [""]
        raise NotInstalled(f"`{' '.join(command[:4])}` failed: {last[0][:300]}")
    return ended.stdout
