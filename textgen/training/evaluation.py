"""Evaluation of a model on a dataset or a split of it: metrics over every target, and those of n-gram baselines."""

import functools
from pathlib import Path

from textgen.config import ALL_SPLITS, NO_ADAPTATION, NO_NEURAL_CACHE, AdaptationConfig, NeuralCacheConfig
from textgen.dataset import Manifest, read_manifest
from textgen.model.language_model import LanguageModel
from textgen.runs import FILE_NAME, RunConfig
from textgen.training import baselines
from textgen.training.data import count_context_tokens
from textgen.training.dynamic_evaluation import AdaptedEvaluation, evaluations
from textgen.training.evaluation_results import (
    AdaptedMetrics,
    Baseline,
    Evaluation,
    NeuralCacheMetrics,
    loss_metrics,
)
from textgen.training.evaluator import evaluate_split
from textgen.training.setup import check_adaptation, check_neural_cache, check_same_text


def evaluate(
    model: LanguageModel,
    config: RunConfig,
    data: str | Path,
    *,
    split: str,
    run: str | Path = "RUN",
    batch_size: int = 1024,
    neural_cache: NeuralCacheConfig = NO_NEURAL_CACHE,
    adaptation: AdaptationConfig = NO_ADAPTATION,
) -> Evaluation:
    """Returns the metrics of a model on every target of a split.

    Args:
        model: the network, with the weights to evaluate.
        config: settings of its run.
        data: folder or URL of the dataset.
        split: "train", "validation", "test", or "all" for the whole dataset.
        run: folder of the run, with its step sizes.
        batch_size: number of pairs per batch of a `bilstm`, or maximum number of documents that an `lstm` reads at
            the same time, which are 256 at most. The metrics do not depend on it, up to rounding.
        neural_cache: settings of the neural cache of an `lstm`, which is then evaluated both without and with it.
        adaptation: settings of the adaptation of an `lstm` to what it reads, which is then evaluated with it too.

    Raises:
        UserError: the dataset does not fit the run, the split is empty, or a `bilstm` is given a neural cache.
        OSError: a file can't be read.
    """
    manifest = read_manifest(data)
    check_same_text(data, manifest, config, origin=str(Path(run) / FILE_NAME))
    check_neural_cache(config, neural_cache)
    check_adaptation(config, adaptation)

    score = functools.partial(evaluate_split, model, config, data, split=split, batch_size=batch_size)
    sums, counts = score(), manifest.counts(split)
    with_cache = score(neural_cache=neural_cache) if neural_cache.tokens else None
    adapted = evaluations(model, data, split, Path(run), neural_cache, adaptation)
    return Evaluation(
        split=split,
        pairs=int(sums.pairs),
        context_tokens=None if config.model.causal else config.window,
        mean_context_tokens=None if config.model.causal else count_context_tokens(data, config, split) / sums.pairs,
        **loss_metrics(sums.mean_loss, manifest, split),
        accuracy=sums.accuracy,
        unknown_rate=counts.unknown / counts.tokens,
        neural_cache=with_cache
        and NeuralCacheMetrics(
            tokens=neural_cache.tokens,
            **loss_metrics(with_cache.mean_loss, manifest, split),
            accuracy=with_cache.accuracy,
        ),
        adapted=tuple(_adapted_metrics(found, manifest, split) for found in adapted),
        baselines=_baselines(data, manifest, split),
    )


def _adapted_metrics(found: AdaptedEvaluation, manifest: Manifest, split: str) -> AdaptedMetrics:
    """Returns the metrics that follow from the sums of an evaluation with weights that follow what was read."""
    losses = loss_metrics(found.sums.mean_loss, manifest, split)
    return AdaptedMetrics(**found.sizes._asdict(), tokens=found.cached_tokens, **losses, accuracy=found.sums.accuracy)


def _baselines(data: str | Path, manifest: Manifest, split: str) -> tuple[Baseline, ...]:
    """Returns the metrics of the n-gram models of a split, by ascending order; empty for a whole dataset."""
    if split == ALL_SPLITS:
        return ()
    losses = baselines.losses(data, manifest, split=split)
    return tuple(Baseline(name=name, **loss_metrics(loss, manifest, split)) for name, loss in losses.items())
