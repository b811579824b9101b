import shutil
from pathlib import Path

import pytest

import textgen
from textgen import Run

DOCUMENTS = [[4, 5, 6, 7, 8, 9, 10, 4, 5, 6, 7, 8], [11, 12, 13, 11, 12, 13, 1, 11, 12], [14, 15, 16, 17, 18, 19] * 2]


@pytest.fixture(scope="session")
def data(make_dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api") / "data"
    return make_dataset(folder, train=DOCUMENTS, validation=[[4, 5, 6, 7, 14]], test=[[7, 8, 9, 1], [12, 13]])


@pytest.fixture(scope="session")
def run(data: Path) -> Run:
    output = data.with_name("run")
    return textgen.train(data, output, embedding=4, units=4, batch_size=8, epochs=2, validate_every=3, seed=5)


@pytest.fixture
def copied(run: Run, tmp_path: Path) -> Path:
    """A copy of a run's folder."""
    return Path(shutil.copytree(run.path, tmp_path / "copied"))


@pytest.fixture(scope="session")
def causal(make_dataset, make_run, data: Path) -> Run:
    make_dataset(data.with_name("spans"), train=DOCUMENTS, validation=[[4, 5, 6]], layout="spans")
    return textgen.load_run(make_run(data.with_name("causal"), network="lstm"))
