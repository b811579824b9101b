"""One step of training or of measuring, and many of them in one graph call.

The gradient is that of the mean loss over the global batch, whatever the number of replicas: sums are reduced over
replicas first, then divided by the pairs of all of them, then clipped.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import tensorflow as tf


class Sums(NamedTuple):
    """Sums over pairs: of the cross-entropy in nats, of the correct first guesses, and their number."""

    loss: float
    correct: float
    pairs: float

    def __add__(self, other: object) -> "Sums":
        assert isinstance(other, Sums)
        return Sums(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def mean_loss(self) -> float:
        """Nats a pair."""
        return self.loss / self.pairs

    @property
    def accuracy(self) -> float:
        """The share of pairs whose target is the likeliest token."""
        return self.correct / self.pairs


NOTHING = Sums(0.0, 0.0, 0.0)

Steps = Callable[[Iterator[Any], int], Sums]
"""Takes that many batches from the iterator; the sums over them."""


def training_steps(
    strategy: tf.distribute.Strategy,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    *,
    clip_norm: float,
) -> Steps:
    """Steps that train. `clip_norm` bounds the global norm of the gradient; 0 leaves it alone."""
    replicas = strategy.num_replicas_in_sync
    variables = model.trainable_variables

    def replica_step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss, sums = _sums(model(x, training=True), y)
        # An embedding's gradient is IndexedSlices, which neither reduce nor clip as one.
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, [v.value for v in variables])]
        gradients, sums = tf.distribute.get_replica_context().all_reduce("SUM", [gradients, sums])
        gradients = [gradient / sums[2] for gradient in gradients]
        if clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
        # The optimizer sums over replicas once more.
        optimizer.apply([gradient / replicas for gradient in gradients], variables)
        return sums / replicas

    return _many(strategy, replica_step)


def measuring_steps(strategy: tf.distribute.Strategy, model: keras.Model) -> Steps:
    """Steps that only measure."""

    def replica_step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return _sums(model(x, training=False), y)[1]

    return _many(strategy, replica_step)


def _sums(logits: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The summed loss, and float32 [3]: loss, correct, pairs."""
    loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    correct = tf.math.count_nonzero(tf.equal(tf.argmax(logits, axis=-1, output_type=y.dtype), y), dtype=tf.float32)
    return loss, tf.stack([loss, correct, tf.cast(tf.size(y), tf.float32)])


def _many(strategy: tf.distribute.Strategy, replica_step: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> Steps:
    @tf.function
    def run(iterator: Iterator[Any], steps: tf.Tensor) -> tf.Tensor:
        # Float64, so that a sum over a large split keeps its digits.
        total = tf.zeros([3], tf.float64)
        for _ in tf.range(steps):
            sums = strategy.run(replica_step, args=next(iterator))
            total += tf.cast(strategy.reduce("SUM", sums, axis=None), tf.float64)
        return total

    return lambda iterator, steps: Sums(*run(iterator, tf.constant(steps)).numpy().tolist())
