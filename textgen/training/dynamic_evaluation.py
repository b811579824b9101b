"""Evaluation of a network whose weights follow the text that it reads, and the search for its step sizes."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from textgen.config import NO_NEURAL_CACHE, PAD, AdaptationConfig, NeuralCacheConfig
from textgen.dataset.loading.document_batches import read_documents
from textgen.model.adaptation import Adaptation
from textgen.model.language_model import LanguageModel
from textgen.model.neural_cache import NeuralCache
from textgen.runs import FILE_NAME, RunConfig
from textgen.runs.adaptation_file import StepSizes as StepSizes
from textgen.runs.adaptation_file import save, step_sizes
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.setup import check_tunable

_WIDTH = 512
# The first decay is that with which the rates are compared.
_RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
_DECAYS = (0.001, 0.0, 0.01)


class AdaptedEvaluation(NamedTuple):
    """Evaluation of a network whose weights follow what was read.

    Attributes:
        sizes: the step sizes.
        cached_tokens: size of the neural cache that is used too; 0 for none.
        sums: the sums over all targets.
    """

    sizes: StepSizes
    cached_tokens: int
    sums: MetricSums


def evaluations(
    model: LanguageModel,
    data: str | Path,
    split: str,
    run: Path,
    neural_cache: NeuralCacheConfig,
    adaptation: AdaptationConfig,
) -> list[AdaptedEvaluation]:
    """Returns the evaluation with adaptation, and again with a neural cache, if one is set; none if the weights stay.

    Args:
        model: the network, which must be causal.
        data: folder or URL of the dataset.
        split: "train", "validation", "test", or "all".
        run: folder of the run, with its step sizes.
        neural_cache: settings of the neural cache.
        adaptation: settings of the adaptation.

    Raises:
        UserError: the split is empty, or the file of the step sizes is damaged.
        OSError: a file can't be read.
    """
    if not adaptation.adapt:
        return []
    sizes, found = step_sizes(run, adaptation), []
    for config in (NO_NEURAL_CACHE, neural_cache)[: 1 + bool(neural_cache.tokens)]:
        cache = NeuralCache(config) if config.tokens else None
        adapted = Adaptation(model, rate=sizes.rate, decay=sizes.decay, cache=cache)
        sums = evaluate_adapting(adapted, data, split=split, tokens=adaptation.adapt_tokens)
        found.append(AdaptedEvaluation(sizes, config.tokens, sums))
    return found


def evaluate_adapting(
    adaptation: Adaptation, data: str | Path, *, split: str, tokens: int, max_targets: int | None = None
) -> MetricSums:
    """Returns the sums over the targets of a split, of a network that follows what it reads.

    Documents are read one after another, each from its beginning. The weights are kept from document to document, and
    are the trained ones again afterwards.

    Args:
        adaptation: reads with the network.
        data: folder or URL of the dataset.
        split: "train", "validation", "test", or "all".
        tokens: number of tokens that are scored between two steps.
        max_targets: number of targets after which to stop; None for all.

    Raises:
        UserError: the split is empty.
        OSError: a file can't be read.
    """
    states = adaptation.initial_states(1)
    loss, correct, pairs = ZERO_SUMS[:3]
    try:
        for x, y, is_fresh in _segments(data, split, tokens):
            found = adaptation.read(x, y, adaptation.initial_states(1) if is_fresh else states)
            states = list(found.states)
            # In float64, which keeps the digits of a sum over a large split.
            part = found.sums.numpy().tolist()
            loss, correct, pairs = loss + part[0], correct + part[1], pairs + part[2]
            if max_targets is not None and pairs >= max_targets:
                break
    finally:
        adaptation.reset()
    return ZERO_SUMS._replace(loss=loss, correct=correct, pairs=pairs)


def tune(
    model: LanguageModel, config: RunConfig, run: Path, data: str | Path, *, tokens: int, max_targets: int
) -> Iterator[tuple[StepSizes, float]]:
    """Yields step sizes and the loss in nats per token with them on the validation split; the best are the last.

    The rate is searched first, with little decay, and then the decay. The best are saved with the run.

    Args:
        model: the network.
        config: settings of its run.
        run: folder of the run.
        data: folder or URL of the dataset.
        tokens: number of tokens that are scored between two steps.
        max_targets: number of targets of the validation split that are read.

    Raises:
        UserError: the dataset does not fit the run or has no validation split, or the network is not causal.
        OSError: a file can't be read or written.
    """
    check_tunable(data, config, origin=str(run / FILE_NAME))
    losses: dict[StepSizes, float] = {}
    adaptation = Adaptation(model, rate=0.0, decay=0.0)

    def measured(sizes: StepSizes) -> tuple[StepSizes, float]:
        adaptation.rate, adaptation.decay = sizes
        sums = evaluate_adapting(adaptation, data, split="validation", tokens=tokens, max_targets=max_targets)
        losses[sizes] = sums.mean_loss
        return sizes, losses[sizes]

    for rate in _RATES:
        yield measured(StepSizes(rate, _DECAYS[0]))
    rate = min(losses, key=losses.__getitem__).rate
    for decay in _DECAYS[1:]:
        yield measured(StepSizes(rate, decay))
    best = min(losses, key=losses.__getitem__)
    save(run, best)
    yield best, losses[best]


def _segments(data: str | Path, split: str, tokens: int) -> Iterator[tuple[tf.Tensor, tf.Tensor, bool]]:
    """Yields x and y, int32 [1, T], of each stretch of `tokens` ids, and whether a document begins with it."""
    for x, y, is_fresh in read_documents(data, split=split, rows=1, positions=_WIDTH):
        for start in range(0, x.shape[1], tokens):
            stretch = slice(start, start + tokens)
            if (x[:, stretch] != PAD).any():
                yield tf.constant(x[:, stretch]), tf.constant(y[:, stretch]), is_fresh and start == 0
