"""Results of an evaluation: metrics of the model, of its variants, and of n-gram baselines."""

import dataclasses
from typing import Any

from textgen.dataset import Manifest
from textgen.training.metrics import bits_per_character, perplexity
from textgen.training.text_quality.comparison import TextQuality


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
        generation: figures of texts that the model has written; None if none are compared.
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
    generation: TextQuality | None = None
    baselines: tuple[Baseline, ...]


def loss_metrics(loss: float, manifest: Manifest, split: str) -> dict[str, Any]:
    """Returns the metrics that follow from a loss in nats per target, by their field names in the dataclasses."""
    bits = bits_per_character(loss, manifest, split)
    return {"loss": loss, "perplexity": perplexity(loss), "bits_per_character": bits}
