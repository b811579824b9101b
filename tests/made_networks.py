"""Networks whose predictions are known, for tests of what is made of them."""

from collections.abc import Callable

import tensorflow as tf

from textgen.config import ModelConfig

LogitsOf = Callable[[tf.Tensor], tf.Tensor]
"""Returns the logits, float32 [B, V], after some windows, int32 [B, W], or after the last id of each, int32 [B]."""


class MadeNetwork:
    """A network over windows, which are what its head reads."""

    config = ModelConfig()

    def __init__(self, window: int, logits_of: LogitsOf):
        self.window, self.head = window, _MadeHead(logits_of)

    def hidden(self, x: tf.Tensor, training: bool) -> tuple[tf.Tensor, list[tf.Tensor]]:
        return x, []


class LastIdNetwork(MadeNetwork):
    """A network whose predictions hang on the last id of each window."""

    def hidden(self, x: tf.Tensor, training: bool) -> tuple[tf.Tensor, list[tf.Tensor]]:
        lengths = tf.math.count_nonzero(x, axis=1, dtype=tf.int32)
        return tf.gather(x, lengths - 1, batch_dims=1), []


class _MadeHead:
    def __init__(self, logits_of: LogitsOf):
        self._logits_of = logits_of

    def columns(self, rows: tf.Tensor) -> None:
        return None

    def __call__(self, hidden: tf.Tensor, columns: None) -> tf.Tensor:
        return self._logits_of(hidden)
