import os
from pathlib import Path

import pytest
import tensorflow as tf

from textgen.config import TrainConfig
from textgen.errors import UserError
from textgen.training.callbacks.defaults import make_callbacks
from textgen.training.callbacks.history import History, resumed_history
from textgen.training.callbacks.samples import Samples
from textgen.training.callbacks.tensorboard import TensorBoard
from textgen.training.damaged_files import read_or_set_aside, set_aside

HEADER = "step,epoch,seconds,pairs_per_second,waited,learning_rate,gradient_norm,loss,accuracy\n"
ROW = "3,1.0,2.0,3.0,0.1,0.001,1.0,2.5,0.5\n"
SAMPLE = '{"step": 3, "text": "é"}\n'


def test_a_file_that_can_be_read_is_left(tmp_path: Path, capsys):
    (tmp_path / "a").write_text("x")
    assert read_or_set_aside(tmp_path / "a", Path.read_text, empty="", step=3) == "x"
    assert capsys.readouterr().err == ""


def test_each_damaged_file_gets_a_name_of_its_own(tmp_path: Path, capsys):
    for content in ("first", "second"):
        (tmp_path / "notes").write_text(content)
        set_aside(tmp_path / "notes", "it is bad", step=1000)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "notes.damaged-1": "first", "notes.damaged-2": "second",
    }  # fmt: skip
    expected = f"warning: {tmp_path}/notes can't be read: it is bad; it is set aside as notes.damaged-2,"
    assert expected in capsys.readouterr().err


def test_a_file_without_permission_is_set_aside(tmp_path: Path, capsys):
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "a").write_text("x")
    assert read_or_set_aside(tmp_path / "a", refuse, empty="nothing", step=3) == "nothing"
    assert (tmp_path / "a.damaged-1").read_text() == "x"
    assert "Permission denied" in capsys.readouterr().err


def _put(path: Path, content: bytes | str) -> None:
    """Puts content, or something that is no file, at a path."""
    if content == "folder":
        (path / "inside").mkdir(parents=True)
    elif content == "pipe":
        os.mkfifo(path)
    elif content == "link":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)


UNUSUAL = ["folder", "pipe", "link", b"\x00\xff\xfe binary \x80"]


@pytest.mark.parametrize(
    "content",
    [
        *UNUSUAL,
        HEADER + "x" + ROW,
        HEADER + ROW + ROW,
        HEADER + "3,1.0\n",
        HEADER + ROW.replace("3,", "3.5,", 1),
        HEADER + ROW.replace("3,", "-3,", 1),
        HEADER + ROW.replace("2.5", "nan"),
        HEADER + ROW.replace("2.5", ""),
        HEADER + ROW.replace("0.5\n", "0.5,9\n"),
        HEADER.replace("loss", "evil") + ROW,
        HEADER + '"' + "9" * 200_000 + '",' + ROW,
        "not a history at all\nline\n",
    ],
)
def test_a_damaged_history_is_set_aside_by_a_resumed_run_only(tmp_path: Path, content: bytes | str, capsys):
    path = tmp_path / "history.csv"
    _put(path, content)
    with pytest.raises(UserError, match=r"history\.csv is "):
        History(path)
    assert resumed_history(path, step=3, is_chief=False).rows == []
    assert resumed_history(path, step=3, is_chief=True).rows == []
    assert os.path.lexists(tmp_path / "history.csv.damaged-1")
    assert "set aside as history.csv.damaged-1, and begun again at step 3" in capsys.readouterr().err


def test_a_sound_history_goes_on(tmp_path: Path):
    (tmp_path / "history.csv").write_text(HEADER + ROW + ROW.replace("3,", "4,", 1).replace("1.0,2.5", "inf,2.5"))
    assert [row.step for row in resumed_history(tmp_path / "history.csv", step=3, is_chief=True).rows] == [3]
    assert [row.step for row in resumed_history(tmp_path / "history.csv", step=9, is_chief=True).rows] == [3, 4]


@pytest.mark.parametrize(
    "content",
    [*UNUSUAL, "x\n" + SAMPLE, SAMPLE + "[" * 100_000 + "\n", SAMPLE + '{"step": "3"}\n', SAMPLE + "[3]\n" + SAMPLE],
)
def test_damaged_samples_are_set_aside(tmp_path: Path, content: bytes | str, capsys):
    path = tmp_path / "samples.jsonl"
    _put(path, content)
    Samples(path, TrainConfig(), until_step=3)
    assert path.read_bytes() == b""
    assert os.path.lexists(tmp_path / "samples.jsonl.damaged-1")
    assert "set aside as samples.jsonl.damaged-1" in capsys.readouterr().err


@pytest.mark.parametrize("rest", ["", '{"step": 3, "te', SAMPLE.replace("3", "4")])
def test_sound_samples_go_on(tmp_path: Path, rest: str, capsys):
    path = tmp_path / "samples.jsonl"
    path.write_text(SAMPLE + rest, encoding="utf-8")
    Samples(path, TrainConfig(), until_step=3)
    assert path.read_text(encoding="utf-8") == SAMPLE
    assert capsys.readouterr().err == ""


def _events(folder: Path) -> Path:
    with tf.summary.create_file_writer(str(folder)).as_default():
        for step in range(5):
            tf.summary.scalar("x", float(step), step=step)
    (path,) = folder.glob("events.out.tfevents.*")
    return path


@pytest.mark.parametrize("damage", ["bit", "length", "folder", "pipe", "link"])
def test_a_damaged_event_file_is_set_aside_under_a_name_that_tensorboard_does_not_read(
    tmp_path: Path, damage: str, capsys
):
    path = _events(tmp_path / "tensorboard")
    content = bytearray(path.read_bytes())
    path.unlink()
    content[len(content) // 2] ^= 4
    _put(path, {"bit": bytes(content), "length": b"\xff" * 40}.get(damage, damage))
    TensorBoard(tmp_path / "tensorboard", until_step=3)
    assert not os.path.lexists(path)
    (aside,) = (tmp_path / "tensorboard").glob("*.damaged-1")
    assert "tfevents" not in aside.name
    assert "begun again at step 3" in capsys.readouterr().err


def test_an_event_file_that_a_killed_process_cut_off_goes_on(tmp_path: Path, capsys):
    path = _events(tmp_path / "tensorboard")
    path.write_bytes(path.read_bytes()[:-5])
    TensorBoard(tmp_path / "tensorboard", until_step=2)
    assert len(list(tf.data.TFRecordDataset(str(path)))) == 1 + 3
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", ["file", "link"])
def test_events_are_not_written_where_no_folder_of_the_run_is(tmp_path: Path, content: str):
    run, victim = tmp_path / "run", tmp_path / "victim"
    run.mkdir()
    victim_events = _events(victim)
    before = victim_events.read_bytes()
    if content == "file":
        (run / "tensorboard").touch()
    else:
        (run / "tensorboard").symlink_to(victim)
    TensorBoard(run / "tensorboard", until_step=0)
    assert victim_events.read_bytes() == before
    assert len(list(victim.iterdir())) == 1
    assert os.path.lexists(run / "tensorboard.damaged-1")


def test_a_folder_in_the_place_of_the_curves_is_set_aside(tmp_path: Path):
    (tmp_path / "curves.png").mkdir()
    make_callbacks(tmp_path, TrainConfig(), step=3, is_chief=True, validated={})
    assert (tmp_path / "curves.png.damaged-1").is_dir()
