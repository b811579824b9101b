"""How well a model, as it then is, predicts the targets of some batches."""

from collections.abc import Callable, Iterable

import tensorflow as tf

from textgen.config import NO_NEURAL_CACHE, NeuralCacheConfig
from textgen.model.language_model import LanguageModel
from textgen.model.neural_cache import Memory
from textgen.training.data import HeldOutBatches
from textgen.training.losses import LossFunction, full_softmax_loss, make_states, neural_cache_loss, stateful_loss
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.step import Steps, evaluation_steps
from textgen.training.strategy import Replicas

_STEPS_A_CALL = 64

Evaluator = Callable[[Iterable[HeldOutBatches]], MetricSums]
"""The sums over all targets of some batches."""


def make_evaluator(
    replicas: Replicas, model: LanguageModel, *, neural_cache: NeuralCacheConfig = NO_NEURAL_CACHE
) -> Evaluator:
    """A function that measures the model.

    An `lstm` reads each document on from its beginning, a row of the batch after another, whatever it was trained on.

    Args:
        replicas: the devices.
        model: the network.
        neural_cache: settings of the neural cache of an `lstm`.
    """
    made: dict[int, Steps] = {}

    def steps_for(lanes: int) -> Steps:
        if lanes not in made:
            if lanes:
                # Each process reads all of them, on one device: lanes are few, and their states are at one place.
                batch_loss = _reading_on(model, lanes, neural_cache)
                made[lanes] = evaluation_steps(tf.distribute.get_strategy(), batch_loss)
            else:
                made[lanes] = evaluation_steps(replicas.strategy, full_softmax_loss(model, training=False))
        return made[lanes]

    def evaluate(held_out: Iterable[HeldOutBatches]) -> MetricSums:
        total = ZERO_SUMS
        for batches in held_out:
            left, steps = batches.steps, steps_for(batches.lanes)
            while left:
                now = min(left, _STEPS_A_CALL)
                total = steps(batches.iterator, now, total)
                left -= now
        return total

    return evaluate


def _reading_on(model: LanguageModel, lanes: int, neural_cache: NeuralCacheConfig) -> LossFunction:
    states = make_states(model, lanes)
    if not neural_cache.tokens:
        return stateful_loss(model, states, training=False)
    width = model.hidden_size
    return neural_cache_loss(model, states, Memory(neural_cache, rows=lanes, width=width))
