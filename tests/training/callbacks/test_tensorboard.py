import errno
from pathlib import Path

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.callbacks.test_history import make_row
from textgen.training.callbacks import Check, History, Progress
from textgen.training.callbacks.history import HistoryRow
from textgen.training.callbacks.tensorboard import TensorBoard
from textgen.training.metrics import MetricSums


def _check(row: HistoryRow, sample: str) -> Check:
    return Check(row, best=False, history=History(Path("nowhere")), sample=sample)


def _read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder)).Reload()


def _scalar(events: EventAccumulator, name: str) -> list[tuple[int, float]]:
    if name not in events.Tags()["tensors"]:
        return []
    return [(event.step, tf.make_ndarray(event.tensor_proto).item()) for event in events.Tensors(name)]


def test_a_check_is_a_point_of_every_curve_and_a_text(tmp_path: Path):
    board = TensorBoard(tmp_path)
    board.on_check(_check(make_row(3), "first\n# no heading"))
    board.on_check(_check(make_row(6, None), "second"))
    events = _read(tmp_path)
    assert _scalar(events, "training/loss") == [(3, pytest.approx(2 / 3)), (6, pytest.approx(2 / 3))]
    assert _scalar(events, "validation/loss") == [(3, 2.5)]
    assert _scalar(events, "validation/perplexity") == [(3, pytest.approx(12.18, rel=1e-3))]
    assert _scalar(events, "speed/pairs_per_second")[0][1] == pytest.approx(1e6 / 7)
    assert _scalar(events, "training/learning_rate")[0][1] == pytest.approx(1e-3)
    texts = [tf.make_ndarray(event.tensor_proto).item().decode() for event in events.Tensors("sample")]
    assert texts == ["    first\n    # no heading", "    second"]


def test_between_checks_the_loss_is_written_seldom(tmp_path: Path):
    board = TensorBoard(tmp_path)
    board.on_progress(Progress(1, 1, MetricSums(loss=6.0, pairs=2.0), 1.0, 0.1, 0.0))
    assert _scalar(_read(tmp_path), "training/loss_since_check") == []
    board = TensorBoard(tmp_path, seconds_between=0.0)
    board.on_progress(Progress(2, 1, MetricSums(loss=6.0, pairs=2.0), 1.0, 0.1, 0.0))
    board.on_check(_check(make_row(3), ""))
    assert _scalar(_read(tmp_path), "training/loss_since_check") == [(2, 3.0)]


def test_events_of_repeated_steps_are_dropped(tmp_path: Path):
    killed = TensorBoard(tmp_path)
    killed.on_check(_check(make_row(3), "kept"))
    killed.on_check(_check(make_row(6), "done again"))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + b"half a record")
    TensorBoard(tmp_path, until_step=3).on_check(_check(make_row(6), "anew"))
    events = _read(tmp_path)
    assert [step for step, _ in _scalar(events, "training/loss")] == [3, 6]
    texts = [tf.make_ndarray(event.tensor_proto).item().decode() for event in events.Tensors("sample")]
    assert texts == ["    kept", "    anew"]


def test_events_that_cannot_be_written_are_an_error(tmp_path, monkeypatch):
    board = TensorBoard(tmp_path)
    # TensorFlow's writer says nothing about a full disk.
    monkeypatch.setattr(Path, "write_bytes", _fail)
    monkeypatch.setattr(board, "_size", lambda: 0)
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}'"):
        board.on_check(_check(make_row(3), ""))


def _fail(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "probe.tmp")
