"""What a batch costs: the loss whose gradient trains, and the figures that are told."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from textgen.config import PAD, TrainConfig
from textgen.model.cpu_parallelism import WHOLE_BATCHES, CpuPlan
from textgen.model.language_model import LanguageModel
from textgen.model.lm_head import sampled_losses
from textgen.model.neural_cache import Memory


class BatchLoss(NamedTuple):
    """Of a batch, or of a part of one.

    Attributes:
        objective: float32 [], what is made small: a sum over targets.
        sums: float32 [3], the cross-entropy in nats, how many first guesses are right, the number of targets.
    """

    objective: tf.Tensor
    sums: tf.Tensor


LossFunction = Callable[..., BatchLoss]
"""The cost of a batch: x int32 [B, W] and y int32, [B] with a target a window and [B, W] with one a place, where PAD
is none; with carried states also bool [B], which rows begin anew."""


def cross_entropy(logits: tf.Tensor, y: tf.Tensor, *, smoothing: float = 0.0) -> BatchLoss:
    """The cross-entropy of float32 scores [..., V]; the objective with smoothed labels (Szegedy et al. 2016).

    A smoothed target gives `smoothing` of its weight to all tokens alike. The sums are without it, so that training
    and validation can be compared.
    """
    counted = tf.cast(tf.not_equal(y, PAD), tf.float32)
    losses = counted * tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    right = counted * tf.cast(tf.equal(tf.argmax(logits, axis=-1, output_type=y.dtype), y), tf.float32)
    loss = tf.reduce_sum(losses)
    objective = loss
    if smoothing:
        uniform = counted * (tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1))
        objective = (1 - smoothing) * loss + smoothing * tf.reduce_sum(uniform)
    return BatchLoss(objective, tf.stack([loss, tf.reduce_sum(right), tf.reduce_sum(counted)]))


def training_loss(
    model: LanguageModel,
    config: TrainConfig,
    optimizer: keras.optimizers.Optimizer,
    states: Sequence[tf.Variable],
    *,
    plan: CpuPlan = WHOLE_BATCHES,
) -> LossFunction:
    """The cost that a run trains on; `states` are none unless rows go on from the batch before."""
    if states:
        return stateful_loss(model, states, training=True, smoothing=config.label_smoothing, plan=plan)
    if config.samples_softmax(model.vocabulary_size):
        return sampled_softmax_loss(model, config, optimizer.iterations)
    return full_softmax_loss(model, training=True, smoothing=config.label_smoothing, plan=plan)


def full_softmax_loss(
    model: LanguageModel, *, training: bool, smoothing: float = 0.0, plan: CpuPlan = WHOLE_BATCHES
) -> LossFunction:
    """The cost by the scores of all tokens."""

    def batch_loss(x: tf.Tensor, y: tf.Tensor) -> BatchLoss:
        halves = plan.split([x, y]) if model.config.causal else [[x, y]]
        return _total([cross_entropy(model(x, training=training), y, smoothing=smoothing) for x, y in halves])

    return batch_loss


def _total(costs: Sequence[BatchLoss]) -> BatchLoss:
    return BatchLoss(*(tf.add_n(values) for values in zip(*costs, strict=True)))


def stateful_loss(
    model: LanguageModel,
    states: Sequence[tf.Variable],
    *,
    training: bool,
    smoothing: float = 0.0,
    plan: CpuPlan = WHOLE_BATCHES,
) -> LossFunction:
    """The cost of an `lstm` whose rows go on from the rows of the batch before.

    Args:
        model: the network.
        states: see `LanguageModel.initial_states`; read, and left as they are after the batch.
        training: whether dropout acts.
        smoothing: see `cross_entropy`.
    """

    def batch_loss(x: tf.Tensor, y: tf.Tensor, fresh: tf.Tensor) -> BatchLoss:
        costs, ends = list[BatchLoss](), list[Sequence[tf.Tensor]]()
        for ids, targets, *begun in plan.split([x, y, *_begun(states, fresh)]):
            logits, left = model(ids, begun, training=training)
            costs.append(cross_entropy(logits, targets, smoothing=smoothing))
            ends.append(left)
        for state, *afters in zip(states, *ends, strict=True):
            state.assign(tf.stop_gradient(tf.concat(afters, 0)))
        return _total(costs)

    return batch_loss


def neural_cache_loss(model: LanguageModel, states: Sequence[tf.Variable], memory: Memory) -> LossFunction:
    """The cost outside of training of an `lstm` whose rows go on, and which remembers what they had."""

    def batch_loss(x: tf.Tensor, y: tf.Tensor, fresh: tf.Tensor) -> BatchLoss:
        hidden, left = model.hidden(x, _begun(states, fresh), training=False)
        for state, after in zip(states, left, strict=True):
            state.assign(after)
        return cross_entropy(memory.recall(model.head(hidden), hidden, y, fresh), y)

    return batch_loss


def _begun(states: Sequence[tf.Variable], fresh: tf.Tensor) -> list[tf.Tensor]:
    """The states, and zeros where a row begins anew."""
    return [tf.where(fresh[:, tf.newaxis], tf.zeros_like(state), state) for state in states]


def make_states(model: LanguageModel, rows: int) -> list[tf.Variable]:
    """States [rows, units] of zeros for `stateful_loss`."""
    return [tf.Variable(state, trainable=False) for state in model.initial_states(rows)]


def sampled_softmax_loss(model: LanguageModel, config: TrainConfig, iterations: tf.Variable) -> LossFunction:
    """The cost with a sampled softmax. The loss told is the sampled one, and no guess is made.

    Args:
        model: whose table is sampled.
        config: how many tokens are drawn, and by which seed.
        iterations: updates so far; each draws anew.
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
