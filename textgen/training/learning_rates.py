"""Learning rate: a function of the step and the used time, times a scale that falls when the loss is on a plateau."""

import math

import keras
import tensorflow as tf

from textgen.config import TrainConfig

_FINAL_FRACTION = 0.01
"""Fraction of the highest rate that `cosine` falls to."""

_PLATEAU_FACTOR = 0.5


class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate of an optimizer.

    Attributes:
        scale: factor of the rate, halved on each plateau; part of a checkpoint.
        time_used: used fraction of the time limit, from 0 to 1; 0 if there is none. `cosine` ends when it is 1, or at
            its last step, whichever comes first.
    """

    def __init__(self, config: TrainConfig, *, last_step: int):
        """Starts with a scale of 1; `last_step` is the number of steps in all epochs."""
        self._config, self._last_step = config, last_step
        self.scale = tf.Variable(1.0, trainable=False, name="learning_rate_scale")
        self.time_used = tf.Variable(0.0, trainable=False, name="time_used")

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the rate of a step, which is counted from 0, as float32 []."""
        config, step = self._config, tf.cast(step, tf.float32)
        rate = self.scale * config.learning_rate
        if config.warmup_steps:
            rate *= tf.minimum(1.0, (step + 1) / config.warmup_steps)
        if config.schedule == "cosine":
            length = max(1, (config.decay_steps or self._last_step) - config.warmup_steps)
            done = tf.maximum((step - config.warmup_steps) / length, self.time_used)
            done = tf.clip_by_value(done, 0.0, 1.0)
            rate *= _FINAL_FRACTION + (1 - _FINAL_FRACTION) * (1 + tf.cos(math.pi * done)) / 2
        return rate

    def after_check(self, stale: int) -> None:
        """Halves the rate on a plateau; `stale` is the number of checks since the lowest loss."""
        if self._config.schedule == "plateau" and stale and stale % self._config.plateau_patience == 0:
            self.scale.assign(self.scale * _PLATEAU_FACTOR)
