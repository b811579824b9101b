"""Training and evaluation steps, many of them in one graph call.

The gradient is that of the mean loss over the global batch for any number of replicas: each replica divides by the
number of targets of all, the gradients are summed over replicas, and then clipped.
"""

import functools
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
"""Runs a number of steps, one batch of the iterator each, and returns the given sums plus theirs. The sums are equal
to the last bit however the steps are divided into calls."""

Gradients = tuple[list[tf.Tensor], tf.Tensor, Sequence[tf.Tensor]]
"""Gradients of the variables, sums of the batch, and states of its rows after it."""


def training_steps(
    strategy: tf.distribute.Strategy,
    optimizer: keras.optimizers.Optimizer,
    variables: Sequence[keras.Variable],
    batch_loss: LossFunction,
    config: TrainConfig,
    *,
    states: Sequence[tf.Variable] = (),
    plan: CpuPlan = WHOLE_BATCHES,
) -> Steps:
    """Returns steps that train the variables to minimize the mean loss.

    Args:
        strategy: TensorFlow's distribution strategy.
        optimizer: updates the variables.
        variables: the trained variables.
        batch_loss: loss function of a batch.
        config: settings of the training.
        states: states of stateful rows, which each step reads and replaces; empty if rows are independent.
        plan: how batches are divided into micro-batches.
    """
    replicas = strategy.num_replicas_in_sync
    # The states of stateful rows belong to whole batches.
    micro_batches = (
        1
        if config.stateful
        else max(config.micro_batches, plan.micro_batches(math.ceil(config.batch_size / replicas)))
    )

    def replica_step(*batch: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        whole = _never_empty(batch) if replicas > 1 else batch
        targets = context.all_reduce("SUM", tf.math.count_nonzero(whole[1], dtype=tf.float32))
        gradients, sums, after = _gradients(_with(states, batch_loss), variables, whole, targets, micro_batches)
        _assign(states, after)
        gradients, sums = context.all_reduce("SUM", [gradients, sums])
        norm = tf.linalg.global_norm(gradients)
        if config.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, config.clip_norm, use_norm=norm)
        if replicas > 1:
            # The optimizer sums over replicas once more.
            gradients = [gradient / replicas for gradient in gradients]
        optimizer.apply(gradients, variables)
        # The sums are ready when the weights are: the next step measures its time from them.
        with tf.control_dependencies([tf.convert_to_tensor(variable) for variable in variables]):
            return tf.concat([sums, [norm]], axis=0) / replicas

    return _many(strategy, replica_step)


def steps_of(replicas: Replicas, state: TrainState, config: TrainConfig) -> Steps:
    """Returns the training steps of a run."""
    plan = replicas.cpu_plan
    loss = training_loss(state.model, config, state.optimizer, plan=plan)
    variables, states = state.model.trainable_variables, state.lstm_states
    return training_steps(replicas.strategy, state.optimizer, variables, loss, config, states=states, plan=plan)


def evaluation_steps(strategy: tf.distribute.Strategy, batch_loss: LossFunction) -> Steps:
    """Returns steps that compute the loss and change no weight."""
    several = strategy.num_replicas_in_sync > 1

    def replica_step(*batch: tf.Tensor) -> tf.Tensor:
        return tf.concat([batch_loss(*(_never_empty(batch) if several else batch)).sums, [0.0]], axis=0)

    return _many(strategy, replica_step)


def _with(states: Sequence[tf.Variable], batch_loss: LossFunction) -> LossFunction:
    """Returns the loss function of a batch whose rows have these states before it."""
    return functools.partial(batch_loss, states=states) if states else batch_loss


def _assign(states: Sequence[tf.Variable], after: Sequence[tf.Tensor]) -> None:
    for state, value in zip(states, after, strict=True):
        state.assign(value)


def _gradients(
    batch_loss: LossFunction,
    variables: Sequence[keras.Variable],
    batch: Sequence[tf.Tensor],
    targets: tf.Tensor,
    micro_batches: int,
) -> Gradients:
    """Returns the gradients of objective / `targets`, the sums and the states after a batch.

    Micro-batches have no states, since those of stateful rows belong to whole batches.
    """

    def gradients_of(micro_batch: Sequence[tf.Tensor]) -> Gradients:
        with tf.GradientTape() as tape:
            found: BatchLoss = batch_loss(*micro_batch)
            mean = found.objective / targets
        # The gradient of an embedding is IndexedSlices, which are not reduced and clipped as one tensor.
        values = [variable.value for variable in variables]
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(mean, values)], found.sums, found.states

    if micro_batches == 1:
        return gradients_of(batch)
    rows = tf.shape(batch[0])[0]
    count = tf.minimum(micro_batches, rows)

    def add(
        i: tf.Tensor, gradients: list[tf.Tensor], sums: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        more, more_sums, _ = gradients_of([tensor[i * rows // count : (i + 1) * rows // count] for tensor in batch])
        return i + 1, [a + b for a, b in zip(gradients, more, strict=True)], sums + more_sums

    zeros = [tf.zeros(variable.shape) for variable in variables]
    # More iterations at once would need the memory that micro-batches save.
    _, gradients, sums = tf.while_loop(
        lambda i, *_: i < count, add, [tf.constant(0), zeros, tf.zeros([3])], parallel_iterations=1
    )
    return gradients, sums, ()


def _never_empty(batch: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Returns the batch, or one row without a target if a replica has no rows, since cuDNN refuses an empty batch."""
    x, y = batch
    missing = tf.maximum(1 - tf.shape(y)[:1], 0)
    x = tf.pad(x, [[0, missing[0]], [0, 0]], constant_values=BOS)
    rest = [[0, 0]] * (y.shape.rank - 1)
    return [x, tf.pad(y, [[0, missing[0]], *rest], constant_values=PAD)]


def _many(strategy: tf.distribute.Strategy, replica_step: Callable[..., tf.Tensor]) -> Steps:
    # Autograph would take seconds to convert all that is called.
    @tf.function(autograph=False)
    def run(iterator: Iterator[Any], steps: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
        def one_more(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # The wait for a batch is measured from the end of the previous step. Before it, the batch would wait for
            # the cores that update the weights, not for the loader.
            with tf.control_dependencies([total]):
                asked = tf.timestamp()
            with tf.control_dependencies([asked]):
                batch = next(iterator)
            with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
                waited = tf.timestamp() - asked
            # Otherwise operations that need no batch, such as dropout masks, would delay the timestamp.
            with tf.control_dependencies([waited]):
                sums = strategy.reduce("SUM", strategy.run(replica_step, args=batch), axis=None)
            # Float64 keeps the digits of a sum over a large split.
            return i + 1, total + tf.concat([tf.cast(sums, tf.float64), [waited]], axis=0)

        return tf.while_loop(lambda i, _: i < steps, one_more, (tf.constant(0), total))[1]

    def call(iterator: Iterator[Any], steps: int, sums: MetricSums) -> MetricSums:
        return MetricSums(*run(iterator, tf.constant(steps), tf.constant(sums, tf.float64)).numpy().tolist())

    return call
