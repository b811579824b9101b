"""However many devices and processes train, they train the same model. Each run is processes of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from textgen import runs
from textgen.training.callbacks.history import History

SCRIPT = Path(__file__).with_name("replicas_script.py")
KILLED = Path(__file__).with_name("killed_script.py")
DOCUMENTS = [[4, 5, 6, 7, 8, 9, 10, 4, 5, 6, 7, 8], [11, 12, 13, 11, 12, 13, 1, 11, 12], [14, 15, 16, 17, 18, 19] * 2]
STEPS = 54
"""36 pairs in batches of 7 for 9 epochs; an epoch's last batch has one, so one of two replicas has none."""


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("replicas") / "data"
    return make_dataset(folder, train=DOCUMENTS, validation=[[4, 5, 6, 7, 14, 15, 16], [11]])


def _command(data: Path, output: Path, *options: object) -> list[str]:
    settings = {
        "embedding": 4, "units": 4, "batch-size": 7, "epochs": 9, "validate-every": 25, "patience": 99,
        "optimizer": "adamw", "weight-decay": 0.1, "learning-rate": 0.01, "clip-norm": 0.05, "seed": 3,
    }  # fmt: skip
    words = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
    return ["train", "--data", str(data), "--output", str(output), *words, *map(str, options)]


def _endless(data: Path, output: Path) -> list[str]:
    """So many epochs that it does not end by itself."""
    return _command(data, output, "--checkpoint-minutes", 0, "--epochs", 100_000, "--validate-every", 10**6)


def _wait_for_a_checkpoint(output: Path) -> None:
    deadline = time.monotonic() + 200
    while not list(output.glob("last/*.index")) and time.monotonic() < deadline:
        time.sleep(0.2)


def _start(devices: int, command: list[str], **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, SCRIPT, str(devices), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def _finish(*processes: subprocess.Popen) -> None:
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors


def _cluster(size: int) -> list[str]:
    """A TF_CONFIG for each of so many processes of this machine."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(size)]
    workers = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    tasks = [{"type": "worker", "index": i} for i in range(size)]
    return [json.dumps({"cluster": {"worker": workers}, "task": task}) for task in tasks]


def _weights(output: Path) -> list[np.ndarray]:
    """The weights of a run's last checkpoint, in the order of the model's variables."""
    model = runs.load(output).build()
    checkpoint = tf.train.Checkpoint(model=model).read(str(output / "last" / f"ckpt-{STEPS}"))
    checkpoint.expect_partial().assert_existing_objects_matched()
    return [variable.numpy() for variable in model.trainable_variables]


@pytest.fixture(scope="module")
def one(data: Path, tmp_path_factory) -> Path:
    """What one device makes of it."""
    output = tmp_path_factory.mktemp("one") / "run"
    _finish(_start(1, _command(data, output)))
    return output


def _assert_same(ours: Path, theirs: Path) -> None:
    expected = _weights(theirs)
    assert len(expected) == 9
    for weights, other in zip(_weights(ours), expected, strict=True):
        np.testing.assert_allclose(weights, other, atol=1e-6, rtol=0)
    our_rows, their_rows = (History(output / "history.csv", until_step=STEPS).rows for output in (ours, theirs))
    assert [row.step for row in our_rows] == [row.step for row in their_rows] == [25, 50, 54]
    for name in ("loss", "accuracy", "gradient_norm", "validation_loss", "validation_accuracy"):
        values = [getattr(row, name) for row in our_rows]
        assert values == pytest.approx([getattr(row, name) for row in their_rows], rel=1e-5), name


def test_clipping_bites_so_that_the_test_says_something(one: Path):
    rows = History(one / "history.csv", until_step=STEPS).rows
    assert all(row.gradient_norm > 0.05 for row in rows)


def test_two_devices_are_one(data: Path, one: Path, tmp_path: Path):
    _finish(_start(2, _command(data, tmp_path / "run", "--strategy", "mirrored")))
    _assert_same(tmp_path / "run", one)


@pytest.mark.parametrize("devices", [1, 2])
def test_two_processes_are_one(data: Path, one: Path, tmp_path: Path, devices: int):
    command = _command(data, tmp_path / "run")
    _finish(*(_start(devices, command, TF_CONFIG=config) for config in _cluster(2)))
    _assert_same(tmp_path / "run", one)


def test_a_batch_in_parts_is_the_batch(data: Path, one: Path, tmp_path: Path):
    _finish(_start(1, _command(data, tmp_path / "run", "--micro-batches", 3)))
    _assert_same(tmp_path / "run", one)


def test_a_process_that_is_asked_to_stop_stops_all(data: Path, tmp_path: Path):
    output = tmp_path / "run"
    processes = [_start(1, _endless(data, output), TF_CONFIG=config) for config in _cluster(2)]
    _wait_for_a_checkpoint(output)
    processes[1].send_signal(signal.SIGTERM)
    told = [process.communicate(timeout=200)[1] for process in processes]
    assert [process.returncode for process in processes] == [143, 143], told
    assert all("a checkpoint is saved" in text for text in told)


def test_a_run_that_was_killed_goes_on_with_other_devices_to_the_same_weights(data: Path, one: Path, tmp_path: Path):
    command = _command(data, tmp_path / "run", "--checkpoint-minutes", 0)
    killed = subprocess.run([sys.executable, KILLED, "20", *command], capture_output=True, check=False, timeout=300)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not list((tmp_path / "run" / "last").glob(f"ckpt-{STEPS}.*"))
    resumed = [*command, "--resume"]
    _finish(*(_start(1, resumed, TF_CONFIG=config) for config in _cluster(2)))
    _assert_same(tmp_path / "run", one)


def test_where_one_process_is_lost_the_others_say_so(data: Path, tmp_path: Path):
    output = tmp_path / "run"
    command = _endless(data, output)
    lost, left = (_start(1, command, TF_CONFIG=config) for config in _cluster(2))
    _wait_for_a_checkpoint(output)
    lost.kill()
    lost.communicate(timeout=200)
    _, errors = left.communicate(timeout=200)
    assert left.returncode == 1
    assert "error: another of the 2 processes has ended or can't be reached" in errors
    assert "Traceback" not in errors
