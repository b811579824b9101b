"""The learning rate of each step: a function of the step, times what a plateau has made of it."""

import math

import keras
import tensorflow as tf

from textgen.config import TrainConfig

_LEAST = 0.01
"""What `cosine` falls to, as a share of the highest."""

_PLATEAU_FACTOR = 0.5


class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """The rate that an optimizer asks for in each step.

    Attributes:
        scale: what the loss's plateaus have left of it; part of a checkpoint.
    """

    def __init__(self, config: TrainConfig, *, last_step: int):
        """`last_step` is the run's."""
        self._config, self._last_step = config, last_step
        self.scale = tf.Variable(1.0, trainable=False, name="learning_rate_scale")

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """float32 [], the rate of the step, counted from 0."""
        config, step = self._config, tf.cast(step, tf.float32)
        rate = self.scale * config.learning_rate
        if config.warmup_steps:
            rate *= tf.minimum(1.0, (step + 1) / config.warmup_steps)
        if config.schedule == "cosine":
            length = max(1, (config.decay_steps or self._last_step) - config.warmup_steps)
            done = tf.clip_by_value((step - config.warmup_steps) / length, 0.0, 1.0)
            rate *= _LEAST + (1 - _LEAST) * (1 + tf.cos(math.pi * done)) / 2
        return rate

    def after_check(self, stale: int) -> None:
        """Lowers the rate on a plateau; `stale` counts the checks since the last better loss."""
        if self._config.schedule == "plateau" and stale and stale % self._config.plateau_patience == 0:
            self.scale.assign(self.scale * _PLATEAU_FACTOR)
