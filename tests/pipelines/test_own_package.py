import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import textgen
from pipelines import own_package
from pipelines.own_package import write_wheel
from textgen.errors import UserError

ROOT = Path(__file__).parents[2]


def test_a_wheel_holds_the_running_code_and_what_it_requires(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, extras=["gs"])
    assert wheel.name == f"textgen_stream-{textgen.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(f"textgen_stream-{textgen.__version__}.dist-info/METADATA").decode()
    for package in ("textgen", "pipelines"):
        files = {str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*.py")}
        assert files <= set(names)
    assert {"textgen/py.typed", "textgen/presets/char.toml", "textgen/serving/page.html"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    assert any(line.startswith("Requires-Dist: gcsfs") and ";" not in line for line in required)
    assert not [line for line in required if "extra ==" in line or "pyspark" in line]


def test_equal_code_is_an_equal_wheel(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    assert write_wheel(tmp_path).read_bytes() == write_wheel(tmp_path / "again").read_bytes()


def test_pip_installs_the_wheel(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*command, str(tmp_path / "installed"), str(wheel)], check=True)
    (found,) = importlib.metadata.distributions(path=[str(tmp_path / "installed")])
    assert (found.name, found.version) == (own_package.DISTRIBUTION, textgen.__version__)
    assert all(file.locate().is_file() for file in found.files or ())


def test_code_that_is_not_installed_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_package, "DISTRIBUTION", "nobody-has-this")
    with pytest.raises(UserError, match="is not installed here by pip.*--sdk_container_image"):
        write_wheel(tmp_path)
