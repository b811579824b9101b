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
        states: states after the batch, with the shapes of those before it; empty if rows are independent.
    """

    objective: tf.Tensor
    sums: tf.Tensor
    states: Sequence[tf.Tensor] = ()


LossFunction = Callable[..., BatchLoss]
"""Loss of a batch: x int32 [B, W], and y int32 [B], one target per window, or [B, W], one per position; PAD is no
target. Stateful losses also take fresh bool [B], True where a row does not continue the previous one, and `states`,
the states before the batch."""


def cross_entropy(logits: tf.Tensor, y: tf.Tensor, *, smoothing: float = 0.0) -> BatchLoss:
    """Returns the cross-entropy of logits; the objective is label-smoothed (Szegedy et al. 2016, arXiv:1512.00567).

    The sums are not smoothed, so that training and validation can be compared.

    Args:
        logits: float32 [..., V].
        y: int32 [...], targets; PAD is not a target.
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
    *,
    plan: CpuPlan = WHOLE_BATCHES,
) -> LossFunction:
    """Returns the loss function that a run trains on.

    Args:
        model: the network.
        config: settings of the training.
        optimizer: counts the updates, which seed a sampled softmax.
        plan: how batches are split over the cores.
    """
    if config.stateful:
        return stateful_loss(model, training=True, smoothing=config.label_smoothing, plan=plan)
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
    """Returns the sums of losses of parts of a batch."""
    return BatchLoss(tf.add_n([loss.objective for loss in losses]), tf.add_n([loss.sums for loss in losses]))


def stateful_loss(
    model: LanguageModel, *, training: bool, smoothing: float = 0.0, plan: CpuPlan = WHOLE_BATCHES
) -> LossFunction:
    """Returns the loss function of a causal network whose rows continue those of the previous batch.

    Args:
        model: the network.
        training: whether dropout is active.
        smoothing: see `cross_entropy`.
        plan: how batches are split over the cores.
    """

    def batch_loss(x: tf.Tensor, y: tf.Tensor, fresh: tf.Tensor, states: Sequence[tf.Tensor]) -> BatchLoss:
        losses, ends = list[BatchLoss](), list[Sequence[tf.Tensor]]()
        for ids, targets, *initial in plan.split([x, y, *_initial(states, fresh)]):
            logits, after = model(ids, initial, training=training)
            losses.append(cross_entropy(logits, targets, smoothing=smoothing))
            ends.append(after)
        after_batch = [tf.stop_gradient(tf.concat(parts, 0)) for parts in zip(*ends, strict=True)]
        return _total(losses)._replace(states=after_batch)

    return batch_loss


def neural_cache_loss(model: LanguageModel, neural_cache: NeuralCache) -> LossFunction:
    """Returns the loss function that evaluates a causal network with stateful rows and a neural cache.

    Its states are those of the network and, after them, those of the neural cache.
    """

    def batch_loss(x: tf.Tensor, y: tf.Tensor, fresh: tf.Tensor, states: Sequence[tf.Tensor]) -> BatchLoss:
        of_model, of_cache = states[: -NeuralCache.STATES], states[-NeuralCache.STATES :]
        hidden, after = model.hidden(x, _initial(of_model, fresh), training=False)
        mixed, cached = neural_cache.mix(model.head(hidden), hidden, y, fresh, of_cache)
        return cross_entropy(mixed, y)._replace(states=[*after, *cached])

    return batch_loss


def _initial(states: Sequence[tf.Tensor], fresh: tf.Tensor) -> list[tf.Tensor]:
    """Returns the states, with zeros where a row is fresh."""
    return [tf.where(fresh[:, tf.newaxis], tf.zeros_like(state), state) for state in states]


def initial_states(model: LanguageModel, rows: int, neural_cache: NeuralCache | None = None) -> list[tf.Tensor]:
    """Returns the states of `rows` rows before their first batch.

    Args:
        model: the network; its states are [rows, units] each.
        rows: number of rows.
        neural_cache: the neural cache, whose states come after those of the network; None for none.
    """
    states = model.initial_states(rows)
    return states if neural_cache is None else [*states, *neural_cache.initial_states(rows, model.hidden_size)]


def make_states(model: LanguageModel, rows: int) -> list[tf.Variable]:
    """Returns variables for the states of `rows` rows in training."""
    return [tf.Variable(state, trainable=False) for state in initial_states(model, rows)]


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
