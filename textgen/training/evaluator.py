"""Evaluation of a model on batches: sums of its metrics over every target."""

from collections.abc import Callable, Iterable

import tensorflow as tf

from textgen.config import NO_NEURAL_CACHE, NeuralCacheConfig
from textgen.model.language_model import LanguageModel
from textgen.model.neural_cache import NeuralCache
from textgen.training.data import HeldOutBatches
from textgen.training.losses import full_softmax_loss, make_states, neural_cache_loss, stateful_loss
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.step import Steps, evaluation_steps
from textgen.training.strategy import Replicas

_STEPS_PER_CALL = 64

Evaluator = Callable[[Iterable[HeldOutBatches]], MetricSums]
"""Returns the sums over all targets of held-out batches, with the model's current weights."""


def make_evaluator(
    replicas: Replicas, model: LanguageModel, *, neural_cache: NeuralCacheConfig = NO_NEURAL_CACHE
) -> Evaluator:
    """Returns a function that evaluates the model.

    An `lstm` reads each document from its beginning in stateful rows, also if it is trained on independent rows.

    Args:
        replicas: devices that share each batch of a `bilstm`.
        model: the network.
        neural_cache: settings of the neural cache of an `lstm`.
    """
    steps_by_rows: dict[int, Steps] = {}
    plan = replicas.cpu_plan
    cache = NeuralCache(neural_cache) if neural_cache.tokens else None
    stateful = neural_cache_loss(model, cache) if cache else stateful_loss(model, training=False, plan=plan)

    def steps_for(rows: int) -> Steps:
        if rows not in steps_by_rows:
            if rows:
                # Every process evaluates all rows on one device: rows are few, and each has its state there.
                steps_by_rows[rows] = evaluation_steps(
                    tf.distribute.get_strategy(), stateful, states=make_states(model, rows, cache)
                )
            else:
                batch_loss = full_softmax_loss(model, training=False, plan=plan)
                steps_by_rows[rows] = evaluation_steps(replicas.strategy, batch_loss)
        return steps_by_rows[rows]

    def evaluate(held_out: Iterable[HeldOutBatches]) -> MetricSums:
        sums = ZERO_SUMS
        for batches in held_out:
            run_steps = steps_for(batches.stateful_rows)
            for first in range(0, batches.steps, _STEPS_PER_CALL):
                sums = run_steps(batches.iterator, min(_STEPS_PER_CALL, batches.steps - first), sums)
        return sums

    return evaluate
