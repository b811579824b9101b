"""Networks whose predictions are known, for tests of what is made of them."""

from collections.abc import Callable

import tensorflow as tf

from textgen.config import ModelConfig

LogitsOf = Callable[[tf.Tensor], tf.Tensor]
"""Returns the logits, float32 [B, V], after some ids, int32 [B]."""


class MadeNetwork:
    """A network over windows whose logits hang on the last id of each."""

    config = ModelConfig()

    def __init__(self, window: int, logits_after: LogitsOf):
        self.window, self.head = window, _MadeHead(logits_after)

    def hidden(self, x: tf.Tensor, training: bool) -> tuple[tf.Tensor, list[tf.Tensor]]:
        lengths = tf.math.count_nonzero(x, axis=1, dtype=tf.int32)
        return tf.gather(x, lengths - 1, batch_dims=1), []


class _MadeHead:
    def __init__(self, logits_after: LogitsOf):
        self._logits_after = logits_after

    def columns(self, rows: tf.Tensor) -> None:
        return None

    def __call__(self, last: tf.Tensor, columns: None) -> tf.Tensor:
        return self._logits_after(last)
