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

FLINK = FOLDER / "flink"
"""Virtual environment with PyFlink, and with it the jars and scripts of Flink."""

_PRISM_MODULE = "github.com/apache/beam/sdks/v2"
_PRISM_SUMS = {"2.77.0": "h1:RsC61pHEvtySEHAURQyP/+CVOJm/hy5hewuG9JF0+Ow="}
"""Checksums of the Go module by version, which must be that of the installed apache-beam."""

_SPARK_REQUIREMENTS = """\
pyspark==3.5.9 --hash=sha256:ea27adc39ddac9413b8951e45aa748cbed6c785971b81386efc41938f6243d93
py4j==0.10.9.9 --hash=sha256:c7c26e4158defb37b0bb124933163641a2ff6e3a3913f7811b0ddbe07ed61533
"""

_FLINK_REQUIREMENTS = """\
apache-flink==2.2.1 \\
    --hash=sha256:870feec118107b654dd18be5b015575abbe8a8d857d08aeb8119062554bbe802 \\
    --hash=sha256:a7e0e06e6e2a788b1e0c4f6225efe6a9bdcb6463db77080b99620c36c076cbab \\
    --hash=sha256:5fab3a13e7cffd63c81af8d8250ac5bdc4418ab7995443aff5695689f37607d5
apache-flink-libraries==2.2.1 --hash=sha256:74dc5546fbd9add8fbcdf1222a237e09491f9b80296241aef8676ec56f8e686e
"""
_NEEDED_BY_FLINK = Path(__file__).with_name("flink-requirements.txt")


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
    if not _is_installed(SPARK, _SPARK_REQUIREMENTS):
        _pip_install(Path(sys.executable), SPARK, _SPARK_REQUIREMENTS, "--target", str(SPARK))


def install_flink() -> None:
    """Installs PyFlink, which holds all of Flink, into a virtual environment, since it needs another version of Beam.

    Raises:
        NotInstalled: there is no Java, no way to the registry, or no PyFlink for this version of Python.
    """
    _require("java")
    if _is_installed(FLINK, _FLINK_REQUIREMENTS):
        return
    _run([sys.executable, "-m", "venv", str(FLINK)])
    python = FLINK / "bin" / "python"
    _run([str(python), *_PIP, "--requirement", str(_NEEDED_BY_FLINK)])
    _pip_install(python, FLINK, _FLINK_REQUIREMENTS)
    for script in flink_home().glob("bin/*"):
        script.chmod(0o755)


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
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables})
    if ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-1:] or [""]
        raise NotInstalled(f"`{' '.join(command[:4])}` failed: {last[0][:300]}")
    return ended.stdout
