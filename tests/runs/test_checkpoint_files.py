import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from textgen.runs.checkpoint_files import (
    VALUE,
    CheckpointError,
    checkpoints_in,
    read,
    remove,
    remove_incomplete,
    require_own_folder,
    shapes,
    step_of,
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A checkpoint of one variable, in the folder `best` of a run."""
    path = tmp_path / "run" / "best" / "ckpt-3"
    tf.train.Checkpoint(x=tf.Variable([1.0, 2.0])).write(str(path))
    return path


def test_checkpoints_are_found_by_descending_step(tmp_path: Path):
    for name in ("ckpt-9.index", "ckpt-10.index", "ckpt-x.index", "checkpoint", "ckpt-11.data-00000-of-00001"):
        (tmp_path / name).touch()
    assert checkpoints_in(tmp_path) == [tmp_path / "ckpt-10", tmp_path / "ckpt-9"]
    assert step_of(tmp_path / "ckpt-10") == 10


def test_checkpoints_that_were_not_written_to_the_end_are_removed(saved: Path):
    folder = saved.parent
    whole = {path.name for path in folder.iterdir()}
    for name in ("ckpt-4.data-00000-of-00001", "ckpt-5.index.tempstate17", "ckpt-5.data-00000-of-00001.tempstate17"):
        (folder / name).touch()
    (folder / "ckpt-5_temp").mkdir()
    (folder / "ckpt-5_temp" / "part-00000-of-00001.index").touch()
    (folder / "ckpt-6_temp").symlink_to(folder.parent)
    (folder / "ckpt-7_temporary").mkdir()
    remove_incomplete(folder)
    assert {path.name for path in folder.iterdir()} == {*whole, "ckpt-6_temp", "ckpt-7_temporary"}
    remove_incomplete(folder.parent / "last")


def test_shapes_and_values_come_back(saved: Path):
    assert shapes(saved)["x" + VALUE] == [2]
    x = tf.Variable([0.0, 0.0])
    read(saved, tf.train.Checkpoint(x=x))
    np.testing.assert_array_equal(x, [1.0, 2.0])


@pytest.mark.parametrize("objects", [{"y": [0.0, 0.0]}, {"x": [0.0]}, {"x": [0.0, 0.0], "y": [0.0]}])
def test_other_variables_than_those_of_the_checkpoint_are_an_error(saved: Path, objects: dict[str, list[float]]):
    variables = {name: tf.Variable(value) for name, value in objects.items()}
    with pytest.raises(CheckpointError):
        read(saved, tf.train.Checkpoint(**variables))


def test_more_than_is_asked_for_is_an_error_unless_a_part_is_enough(saved: Path):
    nothing = tf.train.Checkpoint()
    with pytest.raises(CheckpointError):
        read(saved, nothing)
    read(saved, nothing, partially=True)


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link out", "device"])
def test_files_that_are_not_the_run_s_own_are_refused(saved: Path, tmp_path: Path, suffix: str, kind: str):
    path = saved.with_suffix(suffix)
    outside = tmp_path / "outside"
    path.rename(outside)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(outside if kind == "link out" else "/dev/zero")
    with pytest.raises(CheckpointError, match=r"is no regular file|is a link out of the run's folder"):
        shapes(saved)


def test_a_link_inside_the_run_is_followed(saved: Path):
    data = saved.with_suffix(".data-00000-of-00001")
    data.symlink_to(data.rename(saved.parent.parent / "weights"))
    assert "x" + VALUE in shapes(saved)


def test_missing_data_are_an_error(saved: Path):
    saved.with_suffix(".data-00000-of-00001").unlink()
    with pytest.raises(CheckpointError, match=r"its index describes [0-9]+ bytes, and its data have 0"):
        shapes(saved)


def test_a_huge_index_is_refused_before_it_is_read(saved: Path):
    with saved.with_suffix(".index").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(CheckpointError, match=r"ckpt-3.index has 1,099,511,627,776 bytes; an index has at most"):
        shapes(saved)


def test_data_that_the_index_does_not_describe_are_refused(saved: Path):
    with saved.with_suffix(".data-00000-of-00001").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(CheckpointError, match=r"its data have 1,099,511,627,776 bytes"):
        shapes(saved)


@pytest.mark.parametrize("damage", [b"", b"x" * 100])
def test_a_damaged_index_is_an_error(saved: Path, damage: bytes):
    saved.with_suffix(".index").write_bytes(damage)
    with pytest.raises(CheckpointError):
        shapes(saved)


def test_a_file_without_permission_is_not_taken_for_damaged(saved: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "x")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError):
        shapes(saved)


def test_all_files_of_a_checkpoint_are_removed_and_no_others(saved: Path):
    others = [saved.parent / "ckpt-33.index", saved.parent / "notes"]
    for other in others:
        other.touch()
    remove(saved)
    assert sorted(saved.parent.iterdir()) == others


def test_what_a_link_leads_to_is_not_removed(saved: Path, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.touch()
    saved.with_suffix(".index").unlink()
    saved.with_suffix(".index").symlink_to(outside)
    remove(saved)
    assert outside.exists()
    assert checkpoints_in(saved.parent) == []


def test_a_folder_outside_of_the_run_is_refused(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "run" / "best").symlink_to(tmp_path / "victim")
    with pytest.raises(ValueError, match=r"best is a link to .*/victim, outside of the run"):
        require_own_folder(tmp_path / "run" / "best")


def test_a_folder_that_is_a_file_is_refused_and_a_missing_one_is_not(tmp_path: Path):
    require_own_folder(tmp_path / "last")
    (tmp_path / "last").touch()
    with pytest.raises(ValueError, match=r"last is not a folder"):
        require_own_folder(tmp_path / "last")
