"""Installs engines in pinned versions, whose checksums are verified, into the folder `.engines` of the project.

Each is installed by the ordinary client of its registry: `go install` and `pip`. What the machine lacks is told by
name.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import apache_beam

FOLDER = Path(__file__).parents[2] / ".engines"
PRISM = FOLDER / "bin" / "prism"
SPARK = FOLDER / "spark"
"""Folder for PYTHONPATH that holds PySpark, and with it the jars and scripts of Spark."""

FLINK = FOLDER / "flink"
"""Virtual environment with PyFlink, and with it the jars and scripts of Flink."""

_PRISM_MODULE = "github.com/apache/beam/sdks/v2"
_PRISM_SUMS = {"2.77.0": "h1:RsC61pHEvtySEHAURQyP/+CVOJm/hy5hewuG9JF0+Ow="}
"""Checksums of the Go module by version, which must be that of the installed apache-beam."""

_SPARK_REQUIREMENTS = """\
pyspark==3.5.9 --hash=sha256:ea27adc39ddac9413b8951e45aa748cbed6c785971b81386efc41938f6243d93
py4j==0.10.9.9 --hash=sha256:c7c26e4158defb37b0bb124933163641a2ff6e3a3913f7811b0ddbe07ed61533
"""

_FLINK_REQUIREMENTS = Path(__file__).with_name("flink-requirements.txt").read_text()
_FLINK_PYTHONS = ((3, 11), (3, 12))
"""Versions of Python for which the checksums of the requirements are known."""

_SECONDS = 600.0
"""Longest time of a command of the installation; a registry that is away may not answer at all."""


class NotInstalled(Exception):  # noqa: N818 - It is not an error.
    """The machine lacks what an engine needs; the message names it."""


class WrongChecksum(Exception):  # noqa: N818
    """A registry gave another file than that which was tried."""


def install_prism() -> None:
    """Installs Prism from Beam's Go module.

    Raises:
        NotInstalled: there is no Go, or no way to its registry.
        WrongChecksum: the module is another one.
    """
    version = apache_beam.__version__
    if PRISM.is_file() and (FOLDER / "prism.version").read_text() == version:
        return
    _require("go")
    found = _run(["go", "mod", "download", "-json", f"{_PRISM_MODULE}@v{version}"])
    checksum = json.loads(found).get("Sum", "")
    if checksum != _PRISM_SUMS.get(version):
        raise WrongChecksum(f"Prism {version}: {_PRISM_MODULE} has the checksum {checksum}; add it to _PRISM_SUMS")
    _run(["go", "install", f"{_PRISM_MODULE}/go/cmd/prism@v{version}"], GOBIN=str(PRISM.parent))
    (FOLDER / "prism.version").write_text(version)


def install_spark() -> None:
    """Installs PySpark, which holds all of Spark, beside the environment of the project.

    Raises:
        NotInstalled: there is no Java, or no way to the registry.
        WrongChecksum: a package is another one.
    """
    _require("java")
    if not _is_installed(SPARK, _SPARK_REQUIREMENTS):
        _pip_install(Path(sys.executable), SPARK, _SPARK_REQUIREMENTS, "--target", str(SPARK))


def install_flink() -> None:
    """Installs PyFlink, which holds all of Flink, into a virtual environment, since it needs another version of Beam.

    Raises:
        NotInstalled: there is no Java, no way to the registry, or no checksum for this version of Python.
        WrongChecksum: a package is another one.
    """
    _require("java")
    if sys.version_info[:2] not in _FLINK_PYTHONS or platform.machine() != "x86_64":
        raise NotInstalled(f"no checksums are known for Python {platform.python_version()} on {platform.machine()}")
    if _is_installed(FLINK, _FLINK_REQUIREMENTS):
        return
    _run([sys.executable, "-m", "venv", str(FLINK)])
    _pip_install(FLINK / "bin" / "python", FLINK, _FLINK_REQUIREMENTS)
    for script in flink_home().glob("bin/*"):
        script.chmod(0o755)
    # Loaded anew for each job, it keeps memory of the TaskManagers, which is used up after about six jobs.
    for jar in flink_home().glob("opt/flink-python-*.jar"):
        shutil.copy(jar, flink_home() / "lib")


def flink_home() -> Path:
    """Returns the folder with Flink's `bin`, `conf`, `lib` and `opt`."""
    (found,) = FLINK.glob("lib/python*/site-packages/pyflink")
    return found


_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def _is_installed(folder: Path, requirements: str) -> bool:
    """Returns whether a folder holds what is required; else removes the folder."""
    installed = folder / "requirements.txt"
    if installed.is_file() and installed.read_text() == requirements:
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False


def _pip_install(python: Path, folder: Path, requirements: str, *options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder.with_suffix(".txt")
    wanted.write_text(requirements)
    _run([str(python), *_PIP, "--no-deps", "--require-hashes", *options, "--requirement", str(wanted)])
    wanted.rename(folder / "requirements.txt")


def _require(program: str) -> None:
    if shutil.which(program) is None:
        raise NotInstalled(f"the machine has no {program}")


def _run(command: list[str], **variables: str) -> str:
    called = f"`{' '.join(command[:4])}`"
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, **variables}, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{called} did not end within {_SECONDS:g} seconds") from None
    if "DO NOT MATCH THE HASHES" in ended.stderr:
        raise WrongChecksum(f"{called}: {ended.stderr.strip()[-500:]}")
    if ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-1:] or [""]
        raise NotInstalled(f"{called} failed: {last[0][:300]}")
    return ended.stdout
