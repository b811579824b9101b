"""What is kept of a run so that it can go on, and what is kept of its best moment.

The whole state is one TensorFlow checkpoint: weights, optimizer, step, and the memory of early stopping. The order
of the data needs none but the step. TensorFlow names a checkpoint in its index only when it is whole.
"""

import math
from pathlib import Path

import keras
import tensorflow as tf

from textgen.errors import UserError
from textgen.model.run import BEST, LAST


class State(tf.Module):
    """What changes as a run goes on.

    Attributes:
        step: batches trained on.
        best_loss: the lowest monitored loss so far.
        stale: checks since then.
    """

    def __init__(self, model: keras.Model, optimizer: keras.optimizers.Optimizer):
        super().__init__()
        self.model = model
        self.optimizer = optimizer
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.best_loss = tf.Variable(math.inf, dtype=tf.float64, trainable=False)
        self.stale = tf.Variable(0, dtype=tf.int64, trainable=False)


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, directory: Path, state: State, *, keep: int):
        self._directory, self._state = directory, state
        everything = tf.train.Checkpoint(
            model=state.model,
            optimizer=state.optimizer,
            # The state of dropout, which Keras leaves out of a model's checkpoint.
            seeds=[variable.value for variable in state.model.non_trainable_variables],
            step=state.step,
            best_loss=state.best_loss,
            stale=state.stale,
        )
        self._last = tf.train.CheckpointManager(everything, directory / LAST, max_to_keep=keep)
        self._best = tf.train.CheckpointManager(
            tf.train.Checkpoint(model=state.model), directory / BEST, max_to_keep=1
        )

    def save(self, *, best: bool) -> None:
        """Keeps the state, and its weights apart if they are the best so far."""
        step = int(self._state.step.numpy())
        if best:
            self._best.save(checkpoint_number=step)
        self._last.save(checkpoint_number=step)

    def restore(self) -> None:
        """Brings the last state back.

        Raises:
            UserError: there is none.
        """
        if self._last.restore_or_initialize() is None:
            raise UserError(f"{self._directory} has no checkpoint to resume from. Train without --resume, elsewhere.")
