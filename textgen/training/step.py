"""One step of training or of measuring, and many of them in one graph call.

The gradient is that of the mean loss over the global batch, whatever the number of replicas: each divides by the
targets of all, the gradients are summed over replicas, then clipped.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from textgen.config import BOS, PAD, TrainConfig
from textgen.model.cpu_parallelism import WHOLE_BATCHES, CpuPlan
from textgen.training.losses import BatchLoss, LossFunction, training_loss
from textgen.training.metrics import MetricSums
from textgen.training.strategy import Replicas
from textgen.training.train_state import TrainState

Steps = Callable[[Iterator[Any], int, MetricSums], MetricSums]
"""Takes that many batches from the iterator, and adds to the sums. However steps are shared out to calls, the sums
are the same to the last bit."""


def training_steps(
    strategy: tf.distribute.Strategy,
    optimizer: keras.optimizers.Optimizer,
    variables: Sequence[keras.Variable],
    batch_loss: LossFunction,
    config: TrainConfig,
    *,
    plan: CpuPlan = WHOLE_BATCHES,
) -> Steps:
    """Returns steps that train the variables to minimize the mean loss, in micro-batches by the plan."""
    replicas = strategy.num_replicas_in_sync
    # States that are carried are those of whole batches.
    parts = (
        1
        if config.stateful
        else max(config.micro_batches, plan.micro_batches(math.ceil(config.batch_size / replicas)))
    )

    def replica_step(*batch: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        whole = _never_empty(batch) if replicas > 1 else batch
        targets = context.all_reduce("SUM", tf.math.count_nonzero(whole[1], dtype=tf.float32))
        gradients, sums = _gradients(batch_loss, variables, whole, targets, parts)
        gradients, sums = context.all_reduce("SUM", [gradients, sums])
        norm = tf.linalg.global_norm(gradients)
        if config.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, config.clip_norm, use_norm=norm)
        if replicas > 1:
            # The optimizer sums over replicas once more.
            gradients = [gradient / replicas for gradient in gradients]
        optimizer.apply(gradients, variables)
        # The sums are there when the weights are: the next step's clock begins with them.
        with tf.control_dependencies([tf.convert_to_tensor(variable) for variable in variables]):
            return tf.concat([sums, [norm]], axis=0) / replicas

    return _many(strategy, replica_step)


def steps_of(replicas: Replicas, state: TrainState, config: TrainConfig) -> Steps:
    """Returns the training steps of a run."""
    plan = replicas.cpu_plan
    loss = training_loss(state.model, config, state.optimizer, state.lstm_states, plan=plan)
    variables = state.model.trainable_variables
    return training_steps(replicas.strategy, state.optimizer, variables, loss, config, plan=plan)


def evaluation_steps(strategy: tf.distribute.Strategy, batch_loss: LossFunction) -> Steps:
    """Steps that only batch_loss."""
    several = strategy.num_replicas_in_sync > 1

    def replica_step(*batch: tf.Tensor) -> tf.Tensor:
        sums = batch_loss(*(_never_empty(batch) if several else batch)).sums
        return tf.concat([sums, [0.0]], axis=0)

    return _many(strategy, replica_step)


def _gradients(
    batch_loss: LossFunction,
    variables: Sequence[keras.Variable],
    batch: Sequence[tf.Tensor],
    targets: tf.Tensor,
    parts: int,
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """The gradients of the objective over `targets`, and the sums, of a batch taken in so many parts."""

    def of(part: Sequence[tf.Tensor]) -> tuple[list[tf.Tensor], tf.Tensor]:
        with tf.GradientTape() as tape:
            found: BatchLoss = batch_loss(*part)
            mean = found.objective / targets
        # An embedding's gradient is IndexedSlices, which neither reduce nor clip as one.
        values = [variable.value for variable in variables]
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(mean, values)], found.sums

    if parts == 1:
        return of(batch)
    rows = tf.shape(batch[0])[0]
    count = tf.minimum(parts, rows)

    def add(
        i: tf.Tensor, gradients: list[tf.Tensor], sums: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        more, more_sums = of([tensor[i * rows // count : (i + 1) * rows // count] for tensor in batch])
        return i + 1, [a + b for a, b in zip(gradients, more, strict=True)], sums + more_sums

    zeros = [tf.zeros(variable.shape) for variable in variables]
    # One part at a time is the point.
    _, gradients, sums = tf.while_loop(
        lambda i, *_: i < count, add, [tf.constant(0), zeros, tf.zeros([3])], parallel_iterations=1
    )
    return gradients, sums


def _never_empty(batch: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The batch, or where a replica has none a row without a target, since cuDNN takes no batch of no rows."""
    x, y = batch
    missing = tf.maximum(1 - tf.shape(y)[:1], 0)
    x = tf.pad(x, [[0, missing[0]], [0, 0]], constant_values=BOS)
    rest = [[0, 0]] * (y.shape.rank - 1)
    return [x, tf.pad(y, [[0, missing[0]], *rest], constant_values=PAD)]


def _many(strategy: tf.distribute.Strategy, replica_step: Callable[..., tf.Tensor]) -> Steps:
    @tf.function
    def run(iterator: Iterator[Any], steps: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(steps):
            # What a step waits for begins when the step before is done: earlier, the next batch would wait for the
            # cores that update the weights, and not for the loader.
            with tf.control_dependencies([total]):
                asked = tf.timestamp()
            with tf.control_dependencies([asked]):
                batch = next(iterator)
            with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
                waited = tf.timestamp() - asked
            # Else work that needs no batch, such as to draw what is dropped, keeps the cores from telling the time.
            with tf.control_dependencies([waited]):
                sums = strategy.reduce("SUM", strategy.run(replica_step, args=batch), axis=None)
            # Float64, so that a sum over a large split keeps its digits.
            total += tf.concat([tf.cast(sums, tf.float64), [waited]], axis=0)
        return total

    def call(iterator: Iterator[Any], steps: int, so_far: MetricSums) -> MetricSums:
        return MetricSums(*run(iterator, tf.constant(steps), tf.constant(so_far, tf.float64)).numpy().tolist())

    return call
