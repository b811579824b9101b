"""Checkpoints of a run: the last ones to resume from, and the best weights.

The whole state is one TensorFlow checkpoint: weights, optimizer, counters and the metrics since the last check. The
data order need not be saved, since it is a function of the step. TensorFlow writes the index of a checkpoint last and
renames it, so a checkpoint with an index is complete; its checksums detect later damage.

The weights have the names `model/…` in the checkpoints of both folders, so that other programs can load them by name.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from textgen.console import printable, say
from textgen.errors import UserError
from textgen.runs import BEST, LAST, RunConfig, require_checkpoint
from textgen.runs.checkpoint_files import (
    VALUE,
    CheckpointError,
    checkpoints_in,
    read,
    remove,
    require_own_folder,
    shapes,
    step_of,
)
from textgen.runs.run_vocabulary import load_vocabulary
from textgen.system_errors import tensorflow_file_errors
from textgen.termination import saving
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.train_state import TrainState

_FORMER = "optimizer/_trainable_variables/"
"""Name of weights in checkpoints of before, which saved the optimizer as an object that knows the weights too."""


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(
        self, directory: Path, state: TrainState, *, keep: int, require_lock: Callable[[], None] | None = None
    ):
        """Opens the checkpoints of a run.

        Args:
            directory: folder of the run; checkpoints are in its folders `best` and `last`.
            state: state to save and restore.
            keep: number of checkpoints to keep in `last`.
            require_lock: raises UserError if another process has taken the lock of `directory`; None if it has none.
        """
        self._directory, self._state, self._keep = directory, state, keep
        self._require_lock = require_lock
        self._counters = {
            "step": tf.Variable(0, dtype=tf.int64, trainable=False),
            "best_loss": tf.Variable(math.inf, dtype=tf.float64, trainable=False),
            "best_at": tf.Variable(0, dtype=tf.int64, trainable=False),
            "stale_checks": tf.Variable(0, dtype=tf.int64, trainable=False),
            "checked_at": tf.Variable(0, dtype=tf.int64, trainable=False),
            "sums": tf.Variable(ZERO_SUMS, dtype=tf.float64, trainable=False),
            "seconds": tf.Variable(0.0, dtype=tf.float64, trainable=False),
            "spent": tf.Variable(0.0, dtype=tf.float64, trainable=False),
            "spent_at_check": tf.Variable(0.0, dtype=tf.float64, trainable=False),
        }
        self._weights, self._whole = tf.train.Checkpoint(model=state.model), self._everything()

    def _everything(self, saved: Mapping[str, Sequence[int]] | None = None) -> tf.train.Checkpoint:
        """Returns all objects with state under the names under which they are saved.

        Args:
            saved: shapes of the variables of a checkpoint to read, by name, which may be one of an earlier version;
                None for a checkpoint to write.
        """
        state = self._state
        # A variable gets the shortest name that leads to it: the optimizer as an object would lead to the weights.
        optimizer: Any = [variable.value for variable in state.optimizer.variables]
        counters = self._counters
        if saved is not None:
            counters = {name: counter for name, counter in counters.items() if name + VALUE in saved}
            if any(name.startswith(_FORMER) for name in saved):
                optimizer = state.optimizer
        return tf.train.Checkpoint(
            model=state.model,
            optimizer=optimizer,
            # The state of dropout, which Keras leaves out of a model's checkpoint.
            seeds=[variable.value for variable in state.model.non_trainable_variables],
            learning_rate_scale=state.learning_rate.scale,
            lstm_states=list(state.lstm_states),
            **counters,
        )

    def require_lock(self) -> None:
        """Checks that no other process has taken the lock of the run.

        Raises:
            UserError: one has.
        """
        if self._require_lock:
            self._require_lock()

    def save(self, *, best: bool = False) -> None:
        """Writes the state to `last`; with `best`, also writes the weights to `best`.

        `last` comes first: a run that is killed in between continues from it, and `complete_best` writes the rest.

        Raises:
            UserError: another process has taken the lock of the run.
            OSError: the checkpoint can't be written, or an old one can't be removed.
        """
        for name, variable in self._counters.items():
            variable.assign(getattr(self._state, name))
        with saving():
            self._write(self._whole, LAST, keep=self._keep)
            if best:
                self._write(self._weights, BEST, keep=1)

    def complete_best(self) -> None:
        """Writes the weights to `best` if they are the best and the run was killed before it had written them.

        Raises:
            OSError: an old checkpoint can't be removed.
        """
        step = self._state.step
        steps = [step_of(path) for path in checkpoints_in(self._directory / BEST)]
        if step and self._state.best_at == step and step not in steps:
            with saving():
                self._write(self._weights, BEST, keep=1)

    def restore(self) -> None:
        """Restores the newest undamaged checkpoint, and prints a warning for each damaged one.

        Raises:
            UserError: there is no undamaged checkpoint.
            OSError: a checkpoint can't be read.
        """
        require_own_folder(self._directory / LAST)
        for path in checkpoints_in(self._directory / LAST):
            try:
                read(path, self._everything(shapes(path)))
                self._read_counters(step_of(path))
            except CheckpointError as error:
                say(f"warning: {printable(str(path))} is damaged and left out: {error}")
            else:
                return
        raise UserError(
            f"{self._directory} has no checkpoint to resume from. Train without --resume, or resume=True in Python, "
            "in another folder."
        )

    def _read_counters(self, step: int) -> None:
        """Copies the counters to the state; raises CheckpointError if they are not those of this step."""
        values = {name: variable.numpy().tolist() for name, variable in self._counters.items()}
        checks = (values["best_at"], values["checked_at"])
        if values["step"] != step or not all(0 <= at <= step for at in checks) or values["stale_checks"] < 0:
            raise CheckpointError(f"its counters are not those of step {step}")
        if math.isnan(values["best_loss"]) or not all(
            map(math.isfinite, (*values["sums"], values["seconds"], values["spent"], values["spent_at_check"]))
        ):
            raise CheckpointError("its metrics are not numbers")
        for name, value in values.items():
            setattr(self._state, name, MetricSums(*value) if name == "sums" else value)

    def _write(self, what: tf.train.Checkpoint, name: str, *, keep: int) -> None:
        """Writes a checkpoint, then removes those that it replaces.

        A run that was resumed from an earlier checkpoint repeats the later steps, so checkpoints of later steps are
        replaced too, whatever their number.
        """
        folder, step = self._directory / name, self._state.step
        require_own_folder(folder)
        self.require_lock()
        with tensorflow_file_errors():
            what.write(str(folder / f"ckpt-{step}"))
        found = checkpoints_in(folder)
        kept = [path for path in found if step_of(path) <= step][:keep]
        for path in found:
            if path not in kept:
                remove(path)


def require_resumable(directory: Path, config: RunConfig) -> None:
    """Checks the vocabulary and the checkpoints of a run, before its network takes memory.

    Args:
        directory: folder of the run.
        config: settings of the run.

    Raises:
        UserError: the vocabulary is not that of the settings, or no checkpoint fits them.
        OSError: a file can't be read.
    """
    load_vocabulary(directory, config)
    for name in (BEST, LAST):
        require_own_folder(directory / name)
    if was_saved(directory):
        require_checkpoint(directory, config)


def was_saved(directory: Path) -> bool:
    """Returns whether a run has ever saved a checkpoint; one that was ended before its first step has not.

    Args:
        directory: folder of the run.
    """
    return any(any((directory / name).glob("*.index")) for name in (BEST, LAST))
