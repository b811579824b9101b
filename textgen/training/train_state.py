"""The state of a run: everything that training changes and a checkpoint stores."""

import contextlib
import dataclasses
import math
import random
from collections.abc import Iterator, Sequence

import keras
import tensorflow as tf

from textgen.runs import RunConfig
from textgen.training.data import TrainingData
from textgen.training.learning_rates import LearningRate
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.optimizers import make_optimizer


@dataclasses.dataclass(eq=False)
class TrainState:
    """The state of a run.

    Attributes:
        model: the network.
        optimizer: its optimizer.
        learning_rate: the optimizer's schedule.
        lstm_states: LSTM states of stateful rows, each [B, units]; empty if rows are not stateful.
        step: number of steps taken.
        best_loss: lowest monitored loss so far, in nats per target.
        best_at: step of the check with this loss; 0 before the first one.
        stale_checks: number of checks since the lowest monitored loss.
        checked_at: step of the last check.
        sums: sums of the metrics since the last check.
        seconds: training time since the last check, in seconds.
        spent: time of all sessions that counts against a time limit, in seconds.
        spent_at_check: `spent` at the last check, in seconds.
    """

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    learning_rate: LearningRate
    lstm_states: Sequence[tf.Variable] = ()
    step: int = 0
    best_loss: float = math.inf
    best_at: int = 0
    stale_checks: int = 0
    checked_at: int = 0
    sums: MetricSums = ZERO_SUMS
    seconds: float = 0.0
    spent: float = 0.0
    spent_at_check: float = 0.0

    @property
    def last_rate(self) -> float:
        """Learning rate of the last step."""
        return float(self.learning_rate(self.step - 1).numpy())

    def record_check(self, loss: float, *, counts: bool, is_comparable: bool) -> bool:
        """Updates early stopping and the learning rate, and resets the metrics for the next check.

        An early check at a time limit never counts as a check without improvement. If it is not comparable, it is
        the best only if there is no best loss yet.

        Args:
            loss: the monitored loss, in nats per target.
            counts: whether a check without improvement counts; False for an early check at a time limit.
            is_comparable: whether the loss is that of the validation split, or a training loss over as many steps as
                other checks cover.

        Returns:
            Whether the loss is the lowest so far.
        """
        best = loss < self.best_loss and (counts or is_comparable or math.isinf(self.best_loss))
        if best:
            self.best_loss, self.best_at = loss, self.step
        self.stale_checks = 0 if best else self.stale_checks + int(counts)
        if counts:
            self.learning_rate.after_check(self.stale_checks)
        self.sums, self.seconds, self.checked_at = ZERO_SUMS, 0.0, self.step
        self.spent_at_check = self.spent
        return best


def make_train_state(config: RunConfig, data: TrainingData, strategy: tf.distribute.Strategy) -> TrainState:
    """Returns the state of a run before its first step.

    Args:
        config: settings of the run.
        data: training data; it determines the number of steps and the stateful rows.
        strategy: TensorFlow's distribution strategy, under which the variables are made.
    """
    with strategy.scope(), _keras_seed(config.train.seed):
        model = config.build()
        learning_rate = LearningRate(config.train, last_step=data.last_step)
        optimizer = make_optimizer(config.train, model, learning_rate)
    return TrainState(model, optimizer, learning_rate, data.make_states(model))


@contextlib.contextmanager
def _keras_seed(seed: int) -> Iterator[None]:
    """Inside the context, Keras's initializers and dropout layers derive their seeds from `seed`.

    A Keras layer without a seed draws one from Python's global generator when it is made. The generator's state is
    restored afterwards, and no other global generator is changed.
    """
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
