"""Any number of devices and processes trains the same model. Several devices need processes of their own."""

import contextlib
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

from tests.training.processes import Command
from textgen import runs
from textgen.cli import main
from textgen.training.callbacks.curves import Curves
from textgen.training.callbacks.history import History, HistoryRow

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


def _train(command: list[str], folder: Path, *, devices: int = 1, processes: int = 1) -> None:
    for training in _start(command, folder, devices=devices, processes=processes):
        assert training.wait() == 0, training.printed


def _train_here(command: list[str]) -> None:
    """Trains on one device, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        # A picture takes longer than the steps that it is of.
        patch.setattr(Curves, "on_check", lambda curves, check: None)
        assert main(command) == 0


def _start(command: list[str], folder: Path, *, devices: int = 1, processes: int = 2) -> list[Command]:
    configs = [{"TF_CONFIG": config} for config in _cluster(processes)] if processes > 1 else [{}]
    return [
        Command(command, folder / f"log-{i}", devices=devices, samples=False, **environment)
        for i, environment in enumerate(configs)
    ]


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
    """Returns the run that one device trains."""
    folder = tmp_path_factory.mktemp("one")
    _train_here(_command(data, folder / "run"))
    return folder / "run"


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


def test_gradients_are_clipped_at_every_check(one: Path):
    rows = History(one / "history.csv", until_step=STEPS).rows
    assert all(row.gradient_norm > 0.05 for row in rows)


def test_two_devices_train_the_same_weights_as_one(data: Path, one: Path, tmp_path: Path):
    _train(_command(data, tmp_path / "run", "--strategy", "mirrored"), tmp_path, devices=2)
    _assert_same(tmp_path / "run", one)


def test_two_processes_of_two_devices_train_the_same_weights_as_one(data: Path, one: Path, tmp_path: Path):
    _train(_command(data, tmp_path / "run"), tmp_path, devices=2, processes=2)
    _assert_same(tmp_path / "run", one)


@pytest.fixture(scope="module")
def spans(make_dataset, tmp_path_factory) -> Path:
    """Documents of several lengths, also longer than a row."""
    folder = tmp_path_factory.mktemp("spans") / "data"
    held_out = [[4, 5, 6, 7, 14, 15, 16] * 5, [11], [12, 13], [8, 9, 10] * 3]
    return make_dataset(folder, train=DOCUMENTS * 5, validation=held_out, layout="spans")


def _lstm(data: Path, output: Path, *options: object) -> list[str]:
    """A row is up to 5 targets; 7 rows in batches of 2 leave one of two replicas without a row."""
    return _command(
        data, output, "--network", "lstm", "--batch-size", 2, "--epochs", 2, "--validate-every", 20, *options
    )


@pytest.fixture(scope="module")
def one_lstm(spans: Path, tmp_path_factory) -> Path:
    """Returns the run of a causal network that one device trains and evaluates."""
    folder = tmp_path_factory.mktemp("one-lstm")
    _train_here(_lstm(spans, folder / "run"))
    return folder / "run"


@pytest.mark.parametrize(("processes", "options"), [(1, ("--strategy", "mirrored")), (2, ())])
def test_replicas_evaluate_an_lstm_as_one_device_does(
    spans: Path, one_lstm: Path, tmp_path: Path, processes: int, options: tuple[str, ...]
):
    _train(_lstm(spans, tmp_path / "run", *options), tmp_path, devices=2, processes=processes)
    ours, theirs = (_rows(output) for output in (tmp_path / "run", one_lstm))
    assert [row.step for row in ours] == [row.step for row in theirs]
    for name in ("loss", "validation_loss", "validation_accuracy"):
        values = [getattr(row, name) for row in ours]
        assert values == pytest.approx([getattr(row, name) for row in theirs], rel=1e-5), name


def test_an_lstm_is_evaluated_alike_with_several_devices(one_lstm: Path, spans: Path, tmp_path: Path):
    command = ["evaluate", str(one_lstm), "--data", str(spans), "--split", "validation", "--json"]
    printed = []
    for devices in (1, 2):
        ended = Command(command, tmp_path / f"log-{devices}", devices=devices)
        assert ended.wait() == 0, ended.printed
        printed.append(ended.printed)
    assert printed[0] == printed[1]


def _rows(output: Path) -> list[HistoryRow]:
    return History(output / "history.csv", until_step=10**9).rows


def test_micro_batches_train_the_same_weights_as_whole_batches(data: Path, one: Path, tmp_path: Path):
    _train_here(_command(data, tmp_path / "run", "--micro-batches", 3))
    _assert_same(tmp_path / "run", one)


def test_all_processes_stop_if_one_is_asked_to(data: Path, tmp_path: Path):
    output = tmp_path / "run"
    trainings = _start(_endless(data, output), tmp_path)
    _wait_for_a_checkpoint(output)
    trainings[1].send_signal(signal.SIGTERM)
    assert [training.wait() for training in trainings] == [143, 143], [training.printed for training in trainings]
    assert all("a checkpoint is saved" in training.printed for training in trainings)


def test_a_killed_training_is_resumed_by_two_processes_to_the_same_weights(data: Path, one: Path, tmp_path: Path):
    command = _command(data, tmp_path / "run", "--checkpoint-minutes", 0)
    killed = Command(command, tmp_path / "killed", kill_after=20, samples=False)
    assert killed.wait() == -signal.SIGKILL, killed.printed
    assert not list((tmp_path / "run" / "last").glob(f"ckpt-{STEPS}.*"))
    _train([*command, "--resume"], tmp_path, processes=2)
    _assert_same(tmp_path / "run", one)


def _waiting(command: list[str], address: str, config: str) -> "subprocess.Popen[str]":
    """Starts a command as it is installed, and returns its process when it waits for the others."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from textgen.cli import main; main()", *command],
        env={**os.environ, "TF_CONFIG": config}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        # A shell lets its background jobs ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", int(address.rpartition(":")[2]))):
            return process
        time.sleep(0.05)
    raise AssertionError(process.communicate())


@pytest.mark.parametrize(("place", "number", "code"), [(1, signal.SIGTERM, 143), (0, signal.SIGINT, 130)])
def test_a_process_that_waits_for_another_ends_by_a_signal_with_a_line(
    data: Path, tmp_path: Path, place: int, number: int, code: int
):
    config = _cluster(2)[place]
    process = _waiting(_command(data, tmp_path / "run"), json.loads(config)["cluster"]["worker"][place], config)
    process.send_signal(number)
    assert (process.communicate(timeout=60)[1], process.returncode) == (
        "interrupted. There is no checkpoint yet; run the same command again to begin anew.\n",
        code,
    )


@pytest.mark.parametrize("place", [0, 1])
def test_a_process_whose_port_is_in_use_ends_with_a_line(data: Path, tmp_path: Path, place: int):
    config = _cluster(2)[place]
    address = json.loads(config)["cluster"]["worker"][place]
    with socket.create_server(("localhost", int(address.rpartition(":")[2]))):
        training = Command(_command(data, tmp_path / "run"), tmp_path / "log", TF_CONFIG=config)
        assert training.wait() == 1
    assert f"error: this process cannot listen at its address {address}: Address already in use" in training.printed
    assert "Traceback" not in training.printed


def test_processes_with_clusters_of_two_sizes_end_with_the_same_line(data: Path, tmp_path: Path):
    configs = [json.loads(config) for config in _cluster(3)]
    del configs[0]["cluster"]["worker"][2]
    trainings = [
        Command(_command(data, tmp_path / "run"), tmp_path / f"log-{i}", TF_CONFIG=json.dumps(config))
        for i, config in enumerate(configs[:2])
    ]
    assert [training.wait() for training in trainings] == [2, 2], [training.printed for training in trainings]
    for training in trainings:
        assert "error: the processes have different clusters: " in training.printed
        assert "(2 processes)" in training.printed and "(3 processes)" in training.printed
        assert "Traceback" not in training.printed


def test_a_lost_process_ends_the_others_with_an_error(data: Path, tmp_path: Path):
    output = tmp_path / "run"
    lost, left = _start(_endless(data, output), tmp_path)
    _wait_for_a_checkpoint(output)
    lost.send_signal(signal.SIGKILL)
    assert lost.wait() == -signal.SIGKILL
    assert left.wait() == 1
    assert "error: another of the 2 processes has ended or can't be reached" in left.printed
    assert "Traceback" not in left.printed
