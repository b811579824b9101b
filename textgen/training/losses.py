"""Loss functions: the objective that training minimizes, and the sums from which metrics are computed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from textgen.config import PAD, TrainConfig
from textgen.model.cpu_parallelism import WHOLE_BATCHES, CpuPlan
from textgen.model.language_model import LanguageModel
from textgen.model.lm_head import sampled_losses
from textgen.model.neural_cache import NeuralCache


class BatchLoss(NamedTuple):
    """Loss of a batch or a micro-batch.

    Attributes:
        objective: float32 [], sum over targets that training minimizes.
        sums: float32 [3], the cross-entropy in nats, the number of correct predictions, and the number of targets.
    """

    objective: tf.Tensor
    sums: tf.Tensor


LossFunction = Callable[..., BatchLoss]
"""Loss of a batch: x int32 [B, W], and y int32 [B], one target per window, or [B, W], one per position; PAD is no
target. Stateful losses also take fresh bool [B], True where a row does not continue the previous one."""


def cross_entropy(logits: tf.Tensor, y: tf.Tensor, *, smoothing: float = 0.0) -> BatchLoss:
    """Returns the cross-entropy of logits; the objective is label-smoothed (Szegedy et al. 2016, arXiv:1512.00567).

    The sums are not smoothed, so that training and validation can be compared.

    Args:
        logits: float32 [..., V].
        y: int32 [...], targets; PAD is none.
        smoothing: share of each target that is spread over all tokens.
    """
    counted = tf.cast(tf.not_equal(y, PAD), tf.float32)
    losses = counted * tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    correct = counted * tf.cast(tf.equal(tf.argmax(logits, axis=-1, output_type=y.dtype), y), tf.float32)
    loss = tf.reduce_sum(losses)
    objective = loss
    if smoothing:
        uniform = counted * (tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1))
        objective = (1 - smoothing) * loss + smoothing * tf.reduce_sum(uniform)
    return BatchLoss(objective, tf.stack([loss, tf.reduce_sum(correct), tf.reduce_sum(counted)]))


def training_loss(
    model: LanguageModel,
    config: TrainConfig,
    optimizer: keras.optimizers.Optimizer,
    states: Sequence[tf.Variable],
    *,
    plan: CpuPlan = WHOLE_BATCHES,
) -> LossFunction:
    """Returns the loss function that a run trains on.

    Args:
        model: the network.
        config: settings of the training.
        optimizer: counts the updates, which seed a sampled softmax.
        states: states of stateful rows, empty for a training without them.
        plan: how batches are split over the cores.
    """
    if states:
        return stateful_loss(model, states, training=True, smoothing=config.label_smoothing, plan=plan)
    if config.samples_softmax(model.vocabulary_size):
        return sampled_softmax_loss(model, config, optimizer.iterations)
    return full_softmax_loss(model, training=True, smoothing=config.label_smoothing, plan=plan)


def full_softmax_loss(
    model: LanguageModel, *, training: bool, smoothing: float = 0.0, plan: CpuPlan = WHOLE_BATCHES
) -> LossFunction:
    """Returns the loss function that computes the logits of all tokens."""

    def batch_loss(x: tf.Tensor, y: tf.Tensor) -> BatchLoss:
        halves = plan.split([x, y]) if model.config.causal else [[x, y]]
        return _total([cross_entropy(model(x, training=training), y, smoothing=smoothing) for x, y in halves])

    return batch_loss


def _total(losses: Sequence[BatchLoss]) -> BatchLoss:
    return BatchLoss(*(tf.add_n(values) for values in zip(*losses, strict=True)))


def stateful_loss(
    model: LanguageModel,
    states: Sequence[tf.Variable],
    *,
    training: bool,
    smoothing: float = 0.0,
    plan: CpuPlan = WHOLE_BATCHES,
) -> LossFunction:
    """Returns the loss function of a causal network whose rows continue those of the previous batch.

    Args:
        model: the network.
        states: see `LanguageModel.initial_states`; each call reads and updates them.
        training: whether dropout is active.
        smoothing: see `cross_entropy`.
        plan: how batches are split over the cores.
    """

    def batch_loss(x: tf.Tensor, y: tf.Tensor, fresh: tf.Tensor) -> BatchLoss:
        losses, ends = list[BatchLoss](), list[Sequence[tf.Tensor]]()
        for ids, targets, *initial in plan.split([x, y, *_initial(states, fresh)]):
            logits, after = model(ids, initial, training=training)
            losses.append(cross_entropy(logits, targets, smoothing=smoothing))
            ends.append(after)
        for state, *afters in zip(states, *ends, strict=True):
            state.assign(tf.stop_gradient(tf.concat(afters, 0)))
        return _total(losses)

    return batch_loss


def neural_cache_loss(model: LanguageModel, states: Sequence[tf.Variable], neural_cache: NeuralCache) -> LossFunction:
    """Returns the loss function that evaluates a causal network with stateful rows and a neural cache."""

    def batch_loss(x: tf.Tensor, y: tf.Tensor, fresh: tf.Tensor) -> BatchLoss:
        hidden, after = model.hidden(x, _initial(states, fresh), training=False)
        for state, new in zip(states, after, strict=True):
            state.assign(new)
        return cross_entropy(neural_cache.mix(model.head(hidden), hidden, y, fresh), y)

    return batch_loss


def _initial(states: Sequence[tf.Variable], fresh: tf.Tensor) -> list[tf.Tensor]:
    """Returns the states, with zeros where a row is fresh."""
    return [tf.where(fresh[:, tf.newaxis], tf.zeros_like(state), state) for state in states]


def make_states(model: LanguageModel, rows: int) -> list[tf.Variable]:
    """Returns zero states [rows, units] for `stateful_loss`."""
    return [tf.Variable(state, trainable=False) for state in model.initial_states(rows)]


def sampled_softmax_loss(model: LanguageModel, config: TrainConfig, iterations: tf.Variable) -> LossFunction:
    """Returns the loss function with a sampled softmax. Its sums hold the sampled loss and no correct predictions.

    Args:
        model: the network, whose output table is sampled.
        config: number of sampled tokens, and the seed.
        iterations: number of updates so far; each one samples other tokens.
    """

    def batch_loss(x: tf.Tensor, y: tf.Tensor) -> BatchLoss:
        targets = tf.reshape(y, [-1])
        hidden, _ = model.hidden(x, training=True)
        seed = tf.stack([config.seed, tf.cast(iterations, tf.int32)])
        losses = sampled_losses(
            model.head, tf.reshape(hidden, [-1, model.hidden_size]), targets, samples=config.sampled_tokens, seed=seed
        )
        counted = tf.cast(tf.not_equal(targets, PAD), tf.float32)
        loss = tf.reduce_sum(counted * losses)
        return BatchLoss(loss, tf.stack([loss, 0.0, tf.reduce_sum(counted)]))

    return batch_loss
