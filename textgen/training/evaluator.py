"""Evaluation of a model on batches: sums of its metrics over every target."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf

from textgen.config import NO_NEURAL_CACHE, NeuralCacheConfig
from textgen.dataset.loading.document_batches import DocumentBatch
from textgen.model.language_model import LanguageModel
from textgen.model.neural_cache import NeuralCache, spec_of_any_size
from textgen.runs import RunConfig
from textgen.training.data import HeldOut, HeldOutDocuments, held_out
from textgen.training.losses import BatchLoss, full_softmax_loss, initial_states, neural_cache_loss, stateful_loss
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.step import evaluation_steps
from textgen.training.strategy import Replicas

_STEPS_PER_CALL = 64

Pace = Callable[[int, float], int]
"""Returns the number of steps of the next graph call, given that of the last call and its duration in seconds; it is
called after each call, and may raise to end the evaluation."""


def _constant_pace(steps: int, seconds: float) -> int:
    return _STEPS_PER_CALL


Evaluator = Callable[[HeldOut], MetricSums]
"""Returns the sums over all targets of held-out batches, with the model's current weights."""


def make_evaluator(
    replicas: Replicas,
    model: LanguageModel,
    *,
    neural_cache: NeuralCacheConfig = NO_NEURAL_CACHE,
    pace: Pace = _constant_pace,
) -> Evaluator:
    """Returns a function that evaluates the model.

    An `lstm` reads each document from its beginning, also if it is trained on independent rows.

    Args:
        replicas: devices that share each batch of a `bilstm`.
        model: the network.
        neural_cache: settings of the neural cache of an `lstm`.
        pace: chooses the number of steps of each graph call, on which the sums do not depend.
    """
    run_steps = evaluation_steps(replicas.strategy, full_softmax_loss(model, training=False, plan=replicas.cpu_plan))
    documents = _DocumentEvaluator(replicas, model, NeuralCache(neural_cache) if neural_cache.tokens else None)

    def evaluate(held_out: HeldOut) -> MetricSums:
        sums, next_steps = ZERO_SUMS, 1
        for text in held_out:
            if isinstance(text, HeldOutDocuments):
                sums = documents.read(text.batches, text.weight, sums, pace)
                continue
            done, iterator = 0, iter(text.batches)
            while done < text.steps:
                steps, started = min(next_steps, text.steps - done), time.monotonic()
                sums = run_steps(iterator, steps, sums)
                done += steps
                next_steps = pace(steps, time.monotonic() - started)
        return sums

    return evaluate


def evaluate_split(
    model: LanguageModel,
    config: RunConfig,
    data: str | Path,
    *,
    split: str,
    batch_size: int,
    neural_cache: NeuralCacheConfig = NO_NEURAL_CACHE,
) -> MetricSums:
    """Returns the sums over the targets of a split, on the devices of the current strategy.

    Args:
        model: the network.
        config: settings of its run.
        data: folder or URL of the dataset.
        split: "train", "validation", "test", or "all".
        batch_size: maximum number of pairs, or of documents, per batch.
        neural_cache: settings of the neural cache of an `lstm`.

    Raises:
        UserError: the split is empty, or the dataset has not the run's windows or documents.
        OSError: a file can't be read.
    """
    replicas, tokens = Replicas(tf.distribute.get_strategy()), neural_cache.tokens
    batches = held_out(data, config, replicas, split=split, batch_size=batch_size, cached_tokens=tokens)
    return make_evaluator(replicas, model, neural_cache=neural_cache)(batches)


class _DocumentEvaluator:
    """Evaluates a causal network on batches of documents, whose states it keeps from batch to batch.

    Every process evaluates all documents on one device, as each state is there.
    """

    def __init__(self, replicas: Replicas, model: LanguageModel, cache: NeuralCache | None):
        """Makes an evaluator; its graph is traced at the first call.

        Args:
            replicas: devices and processes.
            model: the network.
            cache: the neural cache; None for none.
        """
        self._model, self._cache, self._states = model, cache, list[tf.Tensor]()
        self._loss = (
            stateful_loss(model, training=False, plan=replicas.cpu_plan)
            if cache is None
            else neural_cache_loss(model, cache)
        )
        self._step: Callable[..., BatchLoss] | None = None

    def read(self, batches: Iterable[DocumentBatch], weight: float, sums: MetricSums, pace: Pace) -> MetricSums:
        """Returns the sums with those of consecutive batches, times a weight; calls `pace` after each batch."""
        self._step = self._step or self._traced()
        loss, correct, pairs = sums[:3]
        for x, y, fresh in batches:
            rows, started = len(x), time.monotonic()
            before = initial_states(self._model, rows, self._cache) if fresh else self._states
            found = self._step(x, y, np.full(rows, fresh), [state[:rows] for state in before])
            self._states = list(found.states)
            # In float64, which keeps the digits of a sum over a large split.
            of_batch = found.sums.numpy().tolist()
            loss, correct, pairs = (
                total + weight * part for total, part in zip((loss, correct, pairs), of_batch, strict=True)
            )
            pace(1, time.monotonic() - started)
        return sums._replace(loss=loss, correct=correct, pairs=pairs)

    def _traced(self) -> Callable[..., BatchLoss]:
        """Returns the loss function as a graph for batches of all sizes."""
        ids, fresh = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.bool)
        states = [spec_of_any_size(state) for state in initial_states(self._model, 1, self._cache)]
        # Autograph would take seconds to convert all that is called.
        traced: Callable[..., BatchLoss] = tf.function(
            self._loss, input_signature=[ids, ids, fresh, states], autograph=False
        )
        return traced
