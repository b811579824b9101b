"""The package `textgen` itself: public names, loaded when they are first used."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import textgen

ROOT = Path(__file__).parents[1]
HEAVY = {"tensorflow", "keras", "apache_beam", "pyarrow", "matplotlib", "numpy"}


def loaded_modules(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after `code`."""
    code += "\nimport sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_import_loads_no_heavy_module() -> None:
    assert not loaded_modules("import textgen; dir(textgen); textgen.__version__") & HEAVY


def test_settings_and_errors_load_no_heavy_module() -> None:
    assert not loaded_modules("from textgen import PrepareConfig, ModelConfig, TrainConfig, UserError") & HEAVY


def test_help_of_the_command_line_loads_no_heavy_module() -> None:
    code = "import textgen.cli, contextlib, io\n"
    code += "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
    code += "    textgen.cli.main(['--help'])"
    assert not loaded_modules(code) & HEAVY


def test_import_of_the_workers_prints_nothing() -> None:
    code = "from textgen import prepare, train, load_run; import logging; assert not logging.root.manager.disable"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("", "")


def test_reading_and_training_do_not_load_beam() -> None:
    assert "apache_beam" not in loaded_modules("from textgen import read_pairs, train, load_run")


@pytest.mark.parametrize("name", textgen.__all__)
def test_every_public_name_is_listed_documented_and_importable(name: str) -> None:
    assert name in dir(textgen)
    assert getattr(textgen, name).__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'prepared'"):
        textgen.prepared  # noqa: B018


def test_bad_input_is_a_value_error() -> None:
    assert issubclass(textgen.UserError, ValueError)


def test_version_is_that_of_the_distribution() -> None:
    done = subprocess.run(
        [sys.executable, "setup.py", "--version"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split()[-1] == textgen.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", textgen.__version__)


def test_types_are_published() -> None:
    assert (ROOT / "textgen" / "py.typed").is_file()


def test_no_matplotlib_backend_is_set() -> None:
    code = "import textgen; textgen.Run\n"
    code += (
        "import matplotlib, sys; sys.modules['set' if matplotlib.rcParams._get('backend') == 'agg' else 'unset'] = 1"
    )
    assert "unset" in loaded_modules(code)
