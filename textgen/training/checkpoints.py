"""Checkpoints of a run: the last ones to resume from, and the best weights.

The whole state is one TensorFlow checkpoint: weights, optimizer, counters and the metrics since the last check. The
data order need not be saved, since it is a function of the step. TensorFlow writes the index of a checkpoint last and
renames it, so a checkpoint with an index is complete; its checksums detect later damage.
"""

import math
from pathlib import Path

import tensorflow as tf

from textgen.console import printable, say
from textgen.errors import UserError
from textgen.runs import BEST, DAMAGES, LAST, checkpoints_in
from textgen.system_errors import tensorflow_file_errors
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.train_state import TrainState

_ADDED = ("spent", "spent_at_check")
"""Counters that checkpoints of earlier versions lack; a run that is resumed from such a one keeps its zeros."""


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, directory: Path, state: TrainState, *, keep: int):
        """Opens the checkpoints of a run.

        Args:
            directory: folder of the run; checkpoints are in its folders `best` and `last`.
            state: state to save and restore.
            keep: number of checkpoints to keep in `last`.
        """
        self._directory, self._state, self._keep = directory, state, keep
        self._counters = {
            "step": tf.Variable(0, dtype=tf.int64, trainable=False),
            "best_loss": tf.Variable(math.inf, dtype=tf.float64, trainable=False),
            "stale_checks": tf.Variable(0, dtype=tf.int64, trainable=False),
            "checked_at": tf.Variable(0, dtype=tf.int64, trainable=False),
            "sums": tf.Variable(ZERO_SUMS, dtype=tf.float64, trainable=False),
            "seconds": tf.Variable(0.0, dtype=tf.float64, trainable=False),
            "spent": tf.Variable(0.0, dtype=tf.float64, trainable=False),
            "spent_at_check": tf.Variable(0.0, dtype=tf.float64, trainable=False),
        }
        self._parts = {
            "model": state.model,
            "optimizer": state.optimizer,
            # The state of dropout, which Keras leaves out of a model's checkpoint.
            "seeds": [variable.value for variable in state.model.non_trainable_variables],
            "learning_rate_scale": state.learning_rate.scale,
            "lstm_states": list(state.lstm_states),
            **self._counters,
        }
        self._everything = tf.train.Checkpoint(**self._parts)
        self._weights = tf.train.Checkpoint(model=state.model)

    def save(self, *, best: bool = False) -> None:
        """Writes the state to `last`; with `best`, also writes the weights to `best`.

        Raises:
            OSError: a file can't be written, or an old checkpoint can't be removed.
        """
        for name, variable in self._counters.items():
            variable.assign(getattr(self._state, name))
        if best:
            self._write(self._weights, BEST, keep=1)
        self._write(self._everything, LAST, keep=self._keep)

    def restore(self) -> None:
        """Restores the newest undamaged checkpoint, and prints a warning for each damaged one.

        Raises:
            UserError: there is no undamaged checkpoint.
        """
        for path in checkpoints_in(self._directory / LAST):
            try:
                self._of_version(path).read(str(path)).assert_consumed()
            except DAMAGES as error:
                reason = str(error).strip().split("\n")[0]
                say(f"warning: {printable(str(path))} is damaged and left out: {printable(reason)}")
            else:
                self._read_counters()
                return
        raise UserError(
            f"{self._directory} has no checkpoint to resume from. Train without --resume, or resume=True in Python, "
            "in another folder."
        )

    def _of_version(self, path: Path) -> tf.train.Checkpoint:
        """Returns the state without the counters that the checkpoint at `path` lacks."""
        names = {name.split("/")[0] for name, _ in tf.train.list_variables(str(path))}
        missing = [name for name in _ADDED if name not in names]
        kept = {name: part for name, part in self._parts.items() if name not in missing}
        return tf.train.Checkpoint(**kept) if missing else self._everything

    def _read_counters(self) -> None:
        for name, variable in self._counters.items():
            value = variable.numpy().tolist()
            setattr(self._state, name, MetricSums(*value) if name == "sums" else value)

    def _write(self, what: tf.train.Checkpoint, name: str, *, keep: int) -> None:
        folder = self._directory / name
        with tensorflow_file_errors():
            what.write(str(folder / f"ckpt-{self._state.step}"))
        for old in checkpoints_in(folder)[keep:]:
            # The index is removed first: without it the remaining files do not count as a checkpoint.
            old.with_suffix(".index").unlink()
            for rest in folder.glob(f"{old.name}.data-*"):
                rest.unlink()
