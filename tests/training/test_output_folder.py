import functools
from pathlib import Path

import pytest

from textgen.config import TOKENIZER_FILE, VOCABULARY_FILE, ModelConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.runs import RunConfig
from textgen.training.output_folder import held_folder, make_folder, require_empty, write_folder
from textgen.training.setup import config_for

TMP = f".{'0f' * 16}.tmp"


@pytest.fixture
def data(make_dataset, tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data", train=[[4, 5, 6]], window=7, vocabulary_size=9, boundaries=False)


def _config(data: Path) -> RunConfig:
    return config_for(read_manifest(data), model=ModelConfig(), train=TrainConfig())


@pytest.mark.parametrize("brought", [b"", b"a tokenizer's model"])
def test_a_runs_folder_has_the_datasets_vocabulary_and_tokenizer(data: Path, tmp_path: Path, brought: bytes):
    if brought:
        (data / TOKENIZER_FILE).write_bytes(brought)
    output = tmp_path / "runs" / "new"
    make_folder(output, data=data)
    expected = {VOCABULARY_FILE: (data / VOCABULARY_FILE).read_bytes()} | (
        {TOKENIZER_FILE: brought} if brought else {}
    )
    assert {path.name: path.read_bytes() for path in output.iterdir()} == expected


BEGUN = ["run.json", "vocabulary.jsonl", "history.csv", "samples.jsonl", "curves.png", "tensorboard/events", "best/x"]


def _write(output: Path, names: list[str]) -> None:
    for name in names:
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_bytes(b"before")


@pytest.mark.parametrize(
    "names", [BEGUN, ["run.json"], [f"run.json{TMP}"], [*BEGUN, f"history.csv{TMP}", "baselines.json"]]
)
def test_a_training_that_ended_before_its_first_checkpoint_begins_anew(
    data: Path, tmp_path: Path, names: list[str], capfd
):
    output = tmp_path / "run"
    _write(output, names)
    require_empty(output)
    write_folder(output, _config(data), data=data, resume=False)
    assert sorted(path.name for path in output.iterdir()) == ["run.json", "vocabulary.jsonl"]
    assert "ended before its first checkpoint; it begins anew" in capfd.readouterr().err


@pytest.mark.parametrize(
    "names", [["vocabulary.jsonl"], [*BEGUN, "last/ckpt-3.index"], [*BEGUN, "notes.txt"], [*BEGUN, "notes.txt.tmp"]]
)
def test_a_folder_that_holds_more_is_refused(tmp_path: Path, names: list[str]):
    _write(tmp_path / "run", names)
    with pytest.raises(UserError, match="is not empty"):
        require_empty(tmp_path / "run")


UNFINISHED = [
    f"run.json{TMP}",
    f"history.csv{TMP}",
    f"tensorboard/events{TMP}",
    "last/ckpt-9_temp/part-00000-of-00001.index",
    "last/ckpt-9.data-00000-of-00001",
    "best/ckpt-9.index.tempstate123",
]
FINISHED = [
    "vocabulary.jsonl",
    "history.csv",
    "last/ckpt-3.index",
    "last/ckpt-3.data-00000-of-00001",
    "best/ckpt-3.index",
]
OF_THE_USER = [
    f"notes{TMP}",
    "history.csv.tmp",
    f"tensorboard/history.csv{TMP}",
    "last/ckpt-best_temp",
    "ckpt-9_temp",
]


def test_a_run_is_resumed_without_what_a_killed_process_has_not_finished(data: Path, tmp_path: Path):
    output = tmp_path / "run"
    _write(output, [*UNFINISHED, *FINISHED, *OF_THE_USER])
    (output / f"curves.png{TMP}").symlink_to(output / "history.csv")
    write_folder(output, _config(data), data=data, resume=True)
    found = {str(path.relative_to(output)) for path in output.rglob("*") if not path.is_dir()}
    assert found == {"run.json", *FINISHED, *OF_THE_USER, f"curves.png{TMP}"}
    assert not list(output.glob("last/ckpt-9*"))


def test_the_chief_holds_the_folder_and_the_others_write_nothing(data: Path, tmp_path: Path):
    run, config = tmp_path / "runs" / "new", _config(data)
    hold = functools.partial(held_folder, run, config, data=data, barrier=_nothing)
    with hold(resume=False, is_chief=True) as lock:
        assert lock
        with hold(resume=True, is_chief=False) as none:
            assert none is None
        with pytest.raises(UserError, match="is being written"), hold(resume=True, is_chief=True):
            pass
        assert sorted(path.name for path in run.iterdir()) == ["_lock", "run.json", "vocabulary.jsonl"]
    assert not (run / "_lock").exists()


def _nothing() -> None:
    pass
