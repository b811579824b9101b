"""Evaluation of a model on a dataset or a split of it: metrics over every target, and those of n-gram baselines."""

import dataclasses
from pathlib import Path
from typing import Any

from textgen.config import ALL_SPLITS, NO_ADAPTATION, NO_NEURAL_CACHE, AdaptationConfig, NeuralCacheConfig
from textgen.dataset import Manifest, read_manifest
from textgen.model.language_model import LanguageModel
from textgen.runs import FILE_NAME, RunConfig
from textgen.training import baselines
from textgen.training.data import count_context_tokens
from textgen.training.dynamic_evaluation import evaluations
from textgen.training.evaluator import evaluate_split
from textgen.training.metrics import MetricSums, bits_per_character, perplexity
from textgen.training.setup import check_adaptation, check_neural_cache, check_same_text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Baseline:
    """Metrics of an n-gram model on the targets of an evaluation; its n-grams are counted on the training split.

    Attributes:
        name: "unigram", "bigram" or "trigram".
        loss: cross-entropy in nats per target.
        perplexity: exponential of the loss.
        bits_per_character: see `Evaluation`.
    """

    name: str
    loss: float
    perplexity: float
    bits_per_character: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class NeuralCacheMetrics:
    """Metrics of the model with a neural cache, on the targets of an evaluation.

    Attributes:
        tokens: size of the cache in tokens.
        loss: cross-entropy in nats per target.
        perplexity: exponential of the loss.
        bits_per_character: see `Evaluation`.
        accuracy: see `Evaluation`.
    """

    tokens: int
    loss: float
    perplexity: float
    bits_per_character: float | None
    accuracy: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdaptedMetrics:
    """Metrics of a network whose weights follow what was read, on the targets of an evaluation.

    Attributes:
        rate: step size along the gradient.
        decay: share of the way back to the trained weights per step.
        tokens: size of the neural cache that is used too; 0 for none.
        loss: cross-entropy in nats per target.
        perplexity: exponential of the loss.
        bits_per_character: see `Evaluation`.
        accuracy: see `Evaluation`.
    """

    rate: float
    decay: float
    tokens: int
    loss: float
    perplexity: float
    bits_per_character: float | None
    accuracy: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Metrics of a model on a split.

    Attributes:
        split: "train", "validation", "test", or "all" for a whole dataset.
        pairs: number of targets; each is predicted once.
        context_tokens: W, the largest number of tokens before a target. None for an `lstm`, which reads each document
            from its beginning.
        mean_context_tokens: mean number of tokens before a target, [BOS] included and padding excluded. None for an
            `lstm`.
        loss: cross-entropy in nats per target.
        perplexity: exponential of the loss.
        bits_per_character: cross-entropy of the split in bits per character of its cleaned text. None if the
            dataset's stride skips targets.
        accuracy: fraction of targets that are the model's most likely token.
        unknown_rate: fraction of the split's tokens that are not in the vocabulary.
        neural_cache: metrics with a neural cache; None if none is used.
        adapted: metrics with weights that follow what was read, and again with a neural cache too, if one is used;
            empty if the weights stay.
        baselines: metrics of the n-gram models, by ascending order; empty for a whole dataset, which has no training
            split besides the text that is evaluated.
    """

    split: str
    pairs: int
    context_tokens: int | None
    mean_context_tokens: float | None
    loss: float
    perplexity: float
    bits_per_character: float | None
    accuracy: float
    unknown_rate: float
    neural_cache: NeuralCacheMetrics | None
    adapted: tuple[AdaptedMetrics, ...] = ()
    baselines: tuple[Baseline, ...]


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

    sums = evaluate_split(model, config, data, split=split, batch_size=batch_size)
    counts, with_cache = manifest.counts(split), None
    if neural_cache.tokens:
        with_cache = evaluate_split(
            model, config, data, split=split, batch_size=batch_size, neural_cache=neural_cache
        )
    return Evaluation(
        split=split,
        pairs=int(sums.pairs),
        context_tokens=None if config.model.causal else config.window,
        mean_context_tokens=None if config.model.causal else count_context_tokens(data, config, split) / sums.pairs,
        **_loss_metrics(sums.mean_loss, manifest, split),
        accuracy=sums.accuracy,
        unknown_rate=counts.unknown / counts.tokens,
        neural_cache=with_cache and _neural_cache_metrics(with_cache, neural_cache, manifest, split),
        adapted=tuple(
            AdaptedMetrics(
                **found.sizes._asdict(),
                tokens=found.cached_tokens,
                **_loss_metrics(found.sums.mean_loss, manifest, split),
                accuracy=found.sums.accuracy,
            )
            for found in evaluations(model, data, split, Path(run), neural_cache, adaptation)
        ),
        baselines=_baselines(data, manifest, split),
    )


def _neural_cache_metrics(
    sums: MetricSums, config: NeuralCacheConfig, manifest: Manifest, split: str
) -> NeuralCacheMetrics:
    """Returns the metrics that follow from the sums of an evaluation with a neural cache."""
    losses = _loss_metrics(sums.mean_loss, manifest, split)
    return NeuralCacheMetrics(tokens=config.tokens, **losses, accuracy=sums.accuracy)


def _baselines(data: str | Path, manifest: Manifest, split: str) -> tuple[Baseline, ...]:
    """Returns the metrics of the n-gram models of a split, by ascending order; empty for a whole dataset."""
    if split == ALL_SPLITS:
        return ()
    losses = baselines.losses(data, manifest, split=split)
    return tuple(Baseline(name=name, **_loss_metrics(loss, manifest, split)) for name, loss in losses.items())


def _loss_metrics(loss: float, manifest: Manifest, split: str) -> dict[str, Any]:
    """Returns the metrics that follow from a loss in nats per target, by their field names in the dataclasses."""
    bits = bits_per_character(loss, manifest, split)
    return {"loss": loss, "perplexity": perplexity(loss), "bits_per_character": bits}
