import math
from pathlib import Path

import pytest

import textgen
from textgen import Run
from textgen.errors import UserError
from textgen.locks import hold


def test_train_returns_the_run_that_its_folder_holds(run: Run) -> None:
    loaded = textgen.load_run(str(run.path))
    assert loaded.config == run.config
    assert loaded.generate("abc", tokens=9) == run.generate("abc", tokens=9)
    assert repr(loaded).startswith(f"Run({str(run.path)!r}")


def test_train_refuses_a_folder_with_a_run(run: Run, data: Path) -> None:
    with pytest.raises(UserError, match="is not empty"):
        textgen.train(data, run.path)


def test_train_refuses_a_run_that_is_being_written(run: Run, data: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
    with hold(run.path, command="train"):
        with pytest.raises(UserError, match="is being written by another call in this process"):
            textgen.train(data, run.path, resume=True, epochs=3)
        # Who writes there matters more than that it is not empty.
        with pytest.raises(UserError, match="is being written by another call in this process"):
            textgen.train(data, run.path)
        assert textgen.load_run(run.path).generate("abc", tokens=3)
    assert before == {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}


def test_train_refuses_a_setting_that_it_does_not_have(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean embedding"):
        textgen.train(data, tmp_path / "run", embeding=3)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("minutes", [0, -1, math.nan])
def test_train_refuses_no_time(data: Path, tmp_path: Path, minutes: float) -> None:
    with pytest.raises(UserError, match="it must be above 0"):
        textgen.train(data, tmp_path / "run", max_minutes=minutes)


def test_a_resumed_run_goes_on(run: Run, copied: Path, data: Path) -> None:
    resumed = textgen.train(data, copied, resume=True, epochs=3)
    assert resumed.config.model == run.config.model
    # The run had two epochs.
    assert 2 * resumed.history["step"][-1] == 3 * run.history["step"][-1]


def test_a_resumed_run_keeps_its_network(run: Run, data: Path) -> None:
    with pytest.raises(UserError, match="embedding is 9, but the run has 4"):
        textgen.train(data, run.path, resume=True, embedding=9)
