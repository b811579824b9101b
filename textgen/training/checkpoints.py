"""What is kept of a run so that it can go on, and what is kept of its best moment.

The whole state is one TensorFlow checkpoint: weights, optimizer, step, and what was reckoned since the last check.
The order of the data needs none but the step. TensorFlow writes a checkpoint's index last and under another name
first, so what has an index is whole; what is damaged later fails its checksums.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from textgen.console import say
from textgen.errors import UserError
from textgen.runs import BEST, DAMAGES, LAST, checkpoints_in
from textgen.training.learning_rates import LearningRate
from textgen.training.metrics import ZERO_SUMS, MetricSums


class TrainState(tf.Module):
    """What changes as a run goes on.

    Attributes:
        step: batches trained on.
        best_loss: the lowest monitored loss so far.
        stale: checks since then.
        checked_at: the step of the last check.
        sums: float64 [5], those since the last check.
        seconds: float64, those since the last check.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        learning_rate: LearningRate,
        carried: Sequence[tf.Variable] = (),
    ):
        """`carried`: the states that rows of a batch go on from."""
        super().__init__()
        self.model = model
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.carried = list(carried)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.best_loss = tf.Variable(math.inf, dtype=tf.float64, trainable=False)
        self.stale = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.checked_at = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.sums = tf.Variable(ZERO_SUMS, dtype=tf.float64, trainable=False)
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)

    def lap(self) -> tuple[MetricSums, float]:
        """The sums and seconds since the last check, as they were saved."""
        return MetricSums(*self.sums.numpy().tolist()), float(self.seconds.numpy())


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, directory: Path, state: TrainState, *, keep: int):
        self._directory, self._state, self._keep = directory, state, keep
        self._everything = tf.train.Checkpoint(
            model=state.model,
            optimizer=state.optimizer,
            # The state of dropout, which Keras leaves out of a model's checkpoint.
            seeds=[variable.value for variable in state.model.non_trainable_variables],
            learning_rate_scale=state.learning_rate.scale,
            carried=state.carried,
            step=state.step,
            best_loss=state.best_loss,
            stale=state.stale,
            checked_at=state.checked_at,
            sums=state.sums,
            seconds=state.seconds,
        )
        self._weights = tf.train.Checkpoint(model=state.model)

    def save(self, *, best: bool = False) -> None:
        """Keeps the state, and its weights apart if they are the best so far."""
        if best:
            self._write(self._weights, BEST, keep=1)
        self._write(self._everything, LAST, keep=self._keep)

    def restore(self) -> None:
        """Brings the last state back that is whole, and warns of each that is not.

        Raises:
            UserError: there is none.
        """
        for path in checkpoints_in(self._directory / LAST):
            try:
                self._everything.read(str(path)).assert_consumed()
                return
            except DAMAGES as error:
                reason = str(error).strip().split("\n")[0]
                say(f"warning: {path} is damaged and left out: {reason}")
        raise UserError(f"{self._directory} has no checkpoint to resume from. Train without --resume, elsewhere.")

    def _write(self, what: tf.train.Checkpoint, name: str, *, keep: int) -> None:
        folder = self._directory / name
        what.write(str(folder / f"ckpt-{int(self._state.step.numpy())}"))
        for old in checkpoints_in(folder)[keep:]:
            # The index first, without which the rest is nothing.
            old.with_suffix(".index").unlink()
            for rest in folder.glob(f"{old.name}.data-*"):
                rest.unlink()
