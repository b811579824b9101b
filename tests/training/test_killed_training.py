"""A run that is killed, however often and wherever, goes on to the very result that it would have had."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from textgen import runs
from textgen.training.callbacks.history import History

SCRIPT = Path(__file__).with_name("killed_script.py")
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


def _run(command: list[str], *, until: int = 10**9) -> int:
    done = subprocess.run(
        [sys.executable, SCRIPT, str(until), *command], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def _result(output: Path) -> tuple[list[Any], dict[str, np.ndarray], bytes]:
    """The rows but for their times, all that the last checkpoint holds, and the samples."""
    rows = History(output / "history.csv", until_step=10**9).rows
    reader = tf.train.load_checkpoint(str(runs.checkpoints_in(output / "last")[0]))
    names = set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return (
        [dataclasses.replace(row, seconds=0, pairs_per_second=0, waited=0) for row in rows],
        {name: reader.get_tensor(name) for name in names if not name.startswith("seconds")},
        (output / "samples.jsonl").read_bytes(),
    )


def _assert_same(ours: Path, theirs: Path) -> None:
    (our_rows, our_values, our_samples), (their_rows, their_values, their_samples) = _result(ours), _result(theirs)
    assert our_rows == their_rows
    assert our_samples == their_samples
    assert our_values.keys() == their_values.keys()
    for name, value in our_values.items():
        np.testing.assert_array_equal(value, their_values[name], err_msg=name)


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("undisturbed") / "run"
    assert _run(_command(data, output)) == 0
    assert [row.step for row in History(output / "history.csv", until_step=99).rows] == [7, 14, 21, 28, 35, 36]
    return output


@pytest.mark.parametrize(
    "kills",
    [
        (3, 5),
        # After the epoch's last step was saved, and again in the second epoch.
        (STEPS_PER_EPOCH, 6),
        # Twice at the same place, so that the second sitting saves nothing.
        (9, 0, 20),
    ],
)
def test_a_run_killed_again_and_again_has_the_result_of_one_that_was_not(
    data: Path, undisturbed: Path, tmp_path: Path, kills: tuple[int, ...]
):
    output = tmp_path / "run"
    resume = []
    for steps in kills:
        assert _run(_command(data, output, *resume), until=steps) == -signal.SIGKILL
        resume = ["--resume"]
    assert _run(_command(data, output, *resume)) == 0
    _assert_same(output, undisturbed)


def test_a_run_that_carries_its_states_has_them_again(make_dataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=DOCUMENTS * 3, validation=[[4, 5, 6]], layout="spans")
    options = ("--network", "lstm", "--stateful", "--window", 3, "--validate-every", 4)
    assert _run(_command(data, tmp_path / "whole", *options)) == 0
    output = tmp_path / "run"
    assert _run(_command(data, output, *options), until=3) == -signal.SIGKILL
    assert _run(_command(data, output, *options, "--resume")) == 0
    _assert_same(output, tmp_path / "whole")
    assert any(name.startswith("lstm_states") for name in _result(output)[1])


def test_a_run_that_is_told_to_end_saves_and_says_so(data: Path, undisturbed: Path, tmp_path: Path):
    output = tmp_path / "run"
    # So slow a pace of checkpoints that the signal's is the only one between checks.
    options = ["--checkpoint-minutes", 99, "--epochs", 100_000, "--validate-every", 10**6]
    process = subprocess.Popen(
        [sys.executable, "-m", "textgen.cli", *_command(data, output, *options)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    deadline = time.monotonic() + 120
    while not (output / "tensorboard").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(3)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, errors
    assert (
        "a checkpoint is saved. To continue, run the same command with --resume, or use resume=True in Python."
        in errors
    )
    (checkpoint,) = runs.checkpoints_in(output / "last")
    assert f"stopped after step {int(checkpoint.name.removeprefix('ckpt-')):,}" in errors
