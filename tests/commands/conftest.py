import string
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from textgen.cli import main

TRAIN = [[4, 5, 6, 7, 8, 9, 10, 4, 5, 6, 7, 8], [11, 12, 13, 11, 12, 13, 1, 11, 12], [14, 15, 16, 17, 18, 19] * 2]
VALIDATION = [[4, 5, 6, 7, 14, 15, 16], [11]]
TEST = [[7, 8, 9, 1], [12, 13]]

Refused = Callable[..., str]


@pytest.fixture(scope="session")
def data(make_dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("commands") / "data"
    return make_dataset(folder, train=TRAIN, validation=VALIDATION, test=TEST, dropped=2)


@pytest.fixture(scope="session")
def url(data: Path) -> str:
    """The same dataset in fsspec's memory."""
    for path in data.iterdir():
        fsspec.filesystem("memory").pipe_file(f"memory://commands/data/{path.name}", path.read_bytes())
    return "memory://commands/data"


@pytest.fixture(scope="session")
def strided_data(make_dataset, tmp_path_factory) -> Path:
    """The same documents and vocabulary with every second target."""
    folder = tmp_path_factory.mktemp("strided") / "data"
    return make_dataset(folder, train=TRAIN, test=TEST, stride=2)


@pytest.fixture(scope="session")
def other_data(make_dataset, tmp_path_factory) -> Path:
    """A dataset of another vocabulary."""
    return make_dataset(
        tmp_path_factory.mktemp("other") / "data", train=[[4, 4, 5]], tokens=string.ascii_uppercase[:16], test=[[4]]
    )


@pytest.fixture(scope="session")
def trained(data: Path, tmp_path_factory) -> Path:
    """A run of one epoch; tests that change it make a copy."""
    output = tmp_path_factory.mktemp("trained") / "run"
    code = main(
        [
            "train", "--data", str(data), "--output", str(output), "--embedding", "4", "--units", "4",
            "--batch-size", "8", "--epochs", "1", "--validate-every", "3", "--seed", "5",
            "--sample-prompt", "🐋 abc", "--sample-tokens", "12",
        ]
    )  # fmt: skip
    assert code == 0
    return output


@pytest.fixture(scope="session")
def made(make_run, tmp_path_factory) -> Path:
    """A run of the vocabulary of `data` with initial weights; tests that change it make a copy."""
    return make_run(tmp_path_factory.mktemp("made") / "run")


@pytest.fixture
def refused(capfd) -> Refused:
    """Runs a command that must be refused; its message, which must be all that it says."""

    def run(*argv: object) -> str:
        capfd.readouterr()
        assert main([str(argument) for argument in argv]) == 2
        out, err = capfd.readouterr()
        assert out == ""
        (line,) = err.splitlines()
        assert line.startswith("error: ")
        return line

    return run


@pytest.fixture(scope="session")
def snapshot() -> Callable[[Path], dict[str, bytes]]:
    """What a folder holds, to see that nothing of it is lost or changed."""

    def take(folder: Path) -> dict[str, bytes]:
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    return take
