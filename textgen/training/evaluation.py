"""How well a model predicts held-out text: every target once, beside baselines on the same targets."""

import dataclasses
from pathlib import Path
from typing import Any

import tensorflow as tf

from textgen.config import NO_NEURAL_CACHE, NeuralCacheConfig
from textgen.dataset import read_manifest, read_pairs
from textgen.errors import require
from textgen.model.language_model import LanguageModel
from textgen.runs import RunConfig
from textgen.training import baselines
from textgen.training.data import held_out
from textgen.training.evaluator import make_evaluator
from textgen.training.metrics import MetricSums, bits_per_character, perplexity
from textgen.training.setup import check_data
from textgen.training.strategy import Replicas


@dataclasses.dataclass(frozen=True, kw_only=True)
class Baseline:
    """What a count of the training split predicts, on the targets that the model is scored on.

    Attributes:
        name: "unigram", "bigram" or "trigram".
        loss: nats a token.
        perplexity: e to the loss.
        bits_per_character: as the model's.
    """

    name: str
    loss: float
    perplexity: float
    bits_per_character: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Remembering:
    """The model with a memory of what it has read, on the same targets.

    Attributes:
        tokens: how many it remembers.
        loss: nats a token.
        perplexity: e to the loss.
        bits_per_character: as the model's.
        accuracy: as the model's.
    """

    tokens: int
    loss: float
    perplexity: float
    bits_per_character: float | None
    accuracy: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A model on a split.

    Attributes:
        split: the split.
        pairs: targets scored, each once.
        context_tokens: W, the tokens that the model sees at the most. None for an `lstm`, which reads the document
            from its beginning.
        mean_context_tokens: those that it saw, in the mean over the targets; [BOS] is one. None as above.
        loss: nats a token.
        perplexity: e to the loss.
        bits_per_character: the loss of the whole split in bits, over the characters of its cleaned text. None where
            the stride leaves targets out.
        accuracy: the share of targets that are the model's first guess.
        unknown_rate: the share of the split's tokens that have no id.
        remembering: the model with a memory, where one is asked for.
        baselines: those that there are for the split, by rising order.
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
    remembering: Remembering | None
    baselines: tuple[Baseline, ...]


def evaluate(
    model: LanguageModel,
    config: RunConfig,
    data: str | Path,
    *,
    split: str,
    batch_size: int = 1024,
    memory: NeuralCacheConfig = NO_NEURAL_CACHE,
) -> Evaluation:
    """Scores every target of a split of a dataset, in a folder of this machine or at a URL.

    Args:
        model: with the weights to measure.
        config: of its run.
        data: the dataset.
        split: "train", "validation" or "test".
        batch_size: the figures don't depend on it.
        memory: of an `lstm`, which is then scored with and without it.

    Raises:
        UserError: the dataset is not of the model's kind, the split is empty, or a `bilstm` is to remember.
        OSError: a file of it can't be read.
    """
    manifest = read_manifest(data)
    check_data(data, manifest, config)
    reads_windows = not config.model.causal
    require(
        not (memory.tokens and reads_windows),
        "a bilstm reads each window by itself and has no neural cache. Leave --neural-cache out, or train "
        "--network lstm.",
    )
    replicas = Replicas(tf.distribute.get_strategy())

    def scored(memory: NeuralCacheConfig) -> MetricSums:
        batches = held_out(data, config, replicas, split=split, batch_size=batch_size, memory_tokens=memory.tokens)
        return make_evaluator(replicas, model, memory=memory)(batches)

    def told(loss: float) -> dict[str, Any]:
        bits = bits_per_character(loss, manifest, split)
        return {"loss": loss, "perplexity": perplexity(loss), "bits_per_character": bits}

    sums, with_memory = scored(NO_NEURAL_CACHE), scored(memory) if memory.tokens else None
    counts = manifest.total.splits[split]
    return Evaluation(
        split=split,
        pairs=int(sums.pairs),
        context_tokens=config.window if reads_windows else None,
        mean_context_tokens=context_tokens(data, config, split) / sums.pairs if reads_windows else None,
        **told(sums.mean_loss),
        accuracy=sums.accuracy,
        unknown_rate=counts.unknown / counts.tokens,
        remembering=Remembering(tokens=memory.tokens, **told(with_memory.mean_loss), accuracy=with_memory.accuracy)
        if with_memory
        else None,
        baselines=tuple(
            Baseline(name=name, **told(loss)) for name, loss in baselines.losses(data, manifest, split=split).items()
        ),
    )


def context_tokens(data: str | Path, config: RunConfig, split: str) -> int:
    """How many ids all X of a split hold, the padding not counted."""
    dataset = read_pairs(data, split=split, batch_size=1024, window=config.window)
    zero = tf.constant(0, tf.int64)
    return int(dataset.reduce(zero, lambda total, pair: total + tf.math.count_nonzero(pair[0])).numpy())
