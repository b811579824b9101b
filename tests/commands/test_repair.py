import io
import os
from pathlib import Path

import pytest

from textgen.cli import main


@pytest.fixture
def made(tmp_path: Path, capfd) -> Path:
    """A dataset that `textgen prepare` made of a file beside it."""
    (tmp_path / "a.txt").write_text("call me ishmael some years ago\n" * 9)
    options = ["--format", "lines", "--split-by", "tail", "--test-percent", "20", "--validation-percent", "20"]
    assert main(["prepare", "--input", str(tmp_path / "a.txt"), "--output", str(tmp_path / "data"), *options]) == 0
    capfd.readouterr()
    return tmp_path / "data"


def test_what_is_made_removed_and_left_is_told(made: Path, capfd, snapshot):
    before = snapshot(made)
    assert main(["repair", str(made)]) == 0
    assert capfd.readouterr() == ("nothing to repair\n", "")

    (made / "train-000000.tfrecord").unlink()
    (made / "test-000007.tfrecord").touch()
    (made / "notes.txt").touch()
    assert main(["repair", str(made), "--yes", "--direct_num_workers=1"]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "remade: train-000000.tfrecord (unit 0): missing",
        "removed: test-000007.tfrecord: extra: the manifest does not name it",
        "left unchanged, since it is not a file of the dataset: notes.txt",
    ]
    assert snapshot(made) == {**before, "notes.txt": b""}


def test_what_can_not_be_repaired_is_refused_in_one_line(made: Path, refused):
    os.utime(made.parent / "a.txt", (1, 1))
    (made / "train-000000.tfrecord").unlink()
    assert "is not the file that the dataset was made from" in refused("repair", made, made.parent / "a.txt")
    (made / "inputs.jsonl").unlink()
    assert "inputs.jsonl: missing" in refused("repair", made)
    (made / "manifest.json").write_text("{")
    assert "manifest.json is damaged: it is not JSON: " in refused("repair", made)
    assert "is not a dataset: it has no manifest.json" in refused("repair", made.parent)


def test_an_option_that_beam_does_not_know_is_refused(made: Path, refused):
    assert "neither textgen nor Beam knows '--fast'" in refused("repair", made, "--fast")


def test_the_inputs_are_shown_and_not_read_unless_the_user_agrees(made: Path, capfd, monkeypatch, snapshot):
    shard = made / "train-000000.tfrecord"
    whole = snapshot(made)
    shard.unlink()
    before = snapshot(made)
    shown = f"{made}/inputs.jsonl names 1 input file, to be read for this repair:\n  in {made.parent}: a.txt\n"
    assert main(["repair", str(made)]) == 2
    out, err = capfd.readouterr()
    assert (out, err.startswith(f"{shown}error: the dataset names the input files above")) == ("", True)
    assert err.count("\n") == 3

    for answer in ("", "\n", "no\n", "\xff\n"):
        answer_with(answer, monkeypatch)
        assert main(["repair", str(made)]) == 2
        assert capfd.readouterr().err.startswith(f"{shown}Read these files? [y/N] error: the dataset names")
    assert snapshot(made) == before

    answer_with("Y\n", monkeypatch)
    assert main(["repair", str(made)]) == 0
    assert capfd.readouterr().err.startswith(f"{shown}Read these files? [y/N] ")
    assert snapshot(made) == whole

    shard.unlink()
    monkeypatch.setattr("sys.stdin", None)
    assert main(["repair", str(made), str(made.parent / "a.txt")]) == 0
    assert shown not in capfd.readouterr().err
    assert snapshot(made) == whole


def answer_with(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets a standard input that is a terminal at which a person types a text."""
    terminal = io.TextIOWrapper(io.BytesIO(text.encode("latin-1")), encoding="utf-8")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin", terminal)
