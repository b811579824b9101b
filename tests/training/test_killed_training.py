"""A training that is killed and resumed ends with the result of one that was not, to the last bit."""

import dataclasses
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.training.processes import Command
from textgen import runs
from textgen.training.callbacks.history import History

DOCUMENTS = [[4, 5, 6, 7, 8, 9, 10, 4, 5, 6, 7, 8], [11, 12, 13, 11, 12, 13, 1, 11, 12], [14, 15, 16, 17, 18, 19] * 2]
STEPS_PER_EPOCH = 12
"""36 pairs in batches of 3."""


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "data"
    return make_dataset(folder, train=DOCUMENTS, validation=[[4, 5, 6, 7, 14, 15, 16], [11]])


def _command(data: Path, output: Path, *options: object) -> list[str]:
    settings = {
        "embedding": 4, "units": 4, "dropout": 0.5, "batch-size": 3, "epochs": 3, "validate-every": 7, "patience": 99,
        "schedule": "plateau", "learning-rate": 0.05, "checkpoint-minutes": 0, "seed": 3,
    }  # fmt: skip
    words = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
    return ["train", "--data", str(data), "--output", str(output), *words, *map(str, options)]


def _result(output: Path) -> tuple[list[Any], dict[str, np.ndarray], bytes]:
    """The rows but for their times, all that the last checkpoint holds, and the samples."""
    rows = History(output / "history.csv", until_step=10**9).rows
    reader = tf.train.load_checkpoint(str(runs.checkpoints_in(output / "last")[0]))
    names = set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return (
        [dataclasses.replace(row, seconds=0, pairs_per_second=0, waited=0) for row in rows],
        {name: reader.get_tensor(name) for name in names if not name.startswith(("seconds", "spent"))},
        (output / "samples.jsonl").read_bytes(),
    )


def _assert_same(ours: Path, theirs: Path) -> None:
    (our_rows, our_values, our_samples), (their_rows, their_values, their_samples) = _result(ours), _result(theirs)
    assert our_rows == their_rows
    assert our_samples == their_samples
    assert our_values.keys() == their_values.keys()
    for name, value in our_values.items():
        np.testing.assert_array_equal(value, their_values[name], err_msg=name)


@pytest.fixture
def kill(tmp_path: Path) -> Callable[..., None]:
    """Trains in a process of its own, which kills itself after so many steps."""

    def run(command: list[str], *, after: int, before: list[str] | None = None) -> None:
        training = Command(command, tmp_path / "log", kill_after=after, before=before)
        assert training.wait() == -signal.SIGKILL, training.printed

    return run


@pytest.fixture
def finish(tmp_path: Path) -> Callable[[list[str]], None]:
    """Trains to the end, in a process of its own."""

    def run(command: list[str]) -> None:
        training = Command(command, tmp_path / "log")
        assert training.wait() == 0, training.printed

    return run


def test_a_training_killed_several_times_ends_like_one_that_was_not(data: Path, kill, finish, tmp_path: Path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    kill(_command(data, killed), after=3, before=_command(data, whole))
    assert [row.step for row in History(whole / "history.csv", until_step=99).rows] == [7, 14, 21, 28, 35, 36]
    # Before anything new is saved, and about the end of the first epoch.
    for steps in (0, STEPS_PER_EPOCH - 3):
        kill(_command(data, killed, "--resume"), after=steps)
    finish(_command(data, killed, "--resume"))
    _assert_same(killed, whole)


def test_a_killed_stateful_training_restores_the_states(make_dataset, kill, finish, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=DOCUMENTS * 3, validation=[[4, 5, 6]], layout="spans")
    options = ("--network", "lstm", "--stateful", "--window", 3, "--validate-every", 4)
    output = tmp_path / "run"
    kill(_command(data, output, *options), after=3, before=_command(data, tmp_path / "whole", *options))
    finish(_command(data, output, *options, "--resume"))
    _assert_same(output, tmp_path / "whole")
    assert any(name.startswith("lstm_states") for name in _result(output)[1])


def test_a_training_asked_to_stop_saves_a_checkpoint_and_says_how_to_continue(data: Path, tmp_path: Path):
    output = tmp_path / "run"
    # The checkpoints by time are so rare that the signal's is the only one between checks.
    options = ["--checkpoint-minutes", 99, "--epochs", 100_000, "--validate-every", 10**6]
    training = Command(_command(data, output, *options), tmp_path / "log")
    deadline = time.monotonic() + 120
    # The progress bar shows a rate from the first steps on.
    while "pairs/s" not in training.printed and time.monotonic() < deadline:
        time.sleep(0.1)
    training.send_signal(signal.SIGTERM)
    assert training.wait() == 128 + signal.SIGTERM
    printed = training.printed
    assert (
        "a checkpoint is saved. To continue, run the same command with --resume, or use resume=True in Python."
        in printed
    )
    (checkpoint,) = runs.checkpoints_in(output / "last")
    assert f"stopped after step {int(checkpoint.name.removeprefix('ckpt-')):,}" in printed
