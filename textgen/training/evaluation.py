"""How well a model predicts held-out text: every target once, beside baselines on the same targets."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from textgen.dataset import read_manifest, read_pairs
from textgen.dataset.manifest import Manifest
from textgen.errors import UserError
from textgen.model.run import RunConfig
from textgen.text import vocabulary
from textgen.training import baselines
from textgen.training.step import NOTHING, Sums, measuring_steps
from textgen.training.strategy import distribute

_STEPS_A_CALL = 64


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
class Evaluation:
    """A model on a split.

    Attributes:
        split: the split.
        pairs: targets scored, each once.
        context_tokens: W, the tokens that the model sees at the most.
        mean_context_tokens: those that it saw, in the mean over the targets; [BOS] is one.
        loss: nats a token.
        perplexity: e to the loss.
        bits_per_character: the loss of the whole split in bits, over the characters of its cleaned text. None where
            the stride leaves targets out.
        accuracy: the share of targets that are the model's first guess.
        unknown_rate: the share of the split's tokens that have no id.
        baselines: those that there are for the split, by rising order.
    """

    split: str
    pairs: int
    context_tokens: int
    mean_context_tokens: float
    loss: float
    perplexity: float
    bits_per_character: float | None
    accuracy: float
    unknown_rate: float
    baselines: tuple[Baseline, ...]


def measure(strategy: tf.distribute.Strategy, model: keras.Model) -> Callable[[tf.data.Dataset], Sums]:
    """A function that measures the model, as it then is, on a dataset of pairs."""
    steps = measuring_steps(strategy, model)

    def run(dataset: tf.data.Dataset) -> Sums:
        left, total = int(dataset.cardinality()), NOTHING
        batches = iter(distribute(strategy, dataset))
        while left:
            now = min(left, _STEPS_A_CALL)
            total += steps(batches, now)
            left -= now
        return total

    return run


def check_data(data: str | Path, manifest: Manifest, config: RunConfig) -> None:
    """Whether a dataset has the ids and the windows that a run is made for.

    Raises:
        UserError: it has others, or its vocabulary is not its own.
        OSError: its vocabulary can't be read.
    """
    if vocabulary.load(data).fingerprint() != manifest.vocabulary_sha256:
        raise UserError(f"{data} has a vocabulary that is not its own. Run `textgen verify {data}`.")
    if manifest.tokens_sha256 != config.tokens_sha256:
        raise UserError(f"the model was trained on another vocabulary than that of {data}. Name its own --data.")
    if manifest.config.window != config.window:
        raise UserError(
            f"the model has a window of {config.window} and {data} one of {manifest.config.window}. "
            "Name a dataset with the model's window."
        )


def evaluate(
    model: keras.Model, config: RunConfig, data: str | Path, *, split: str, batch_size: int = 1024
) -> Evaluation:
    """Scores every target of a split of a dataset, in a folder of this machine or at a URL.

    Raises:
        UserError: the dataset is not of the model's kind, or the split is empty.
        OSError: a file of it can't be read.
    """
    manifest = read_manifest(data)
    check_data(data, manifest, config)
    dataset = read_pairs(data, split=split, batch_size=batch_size)
    sums = measure(tf.distribute.get_strategy(), model)(dataset)
    counts = manifest.total.splits[split]

    def bits_per_character(loss: float) -> float | None:
        return loss * counts.pairs / math.log(2) / counts.characters if manifest.config.stride == 1 else None

    return Evaluation(
        split=split,
        pairs=int(sums.pairs),
        context_tokens=manifest.config.window,
        mean_context_tokens=context_tokens(dataset) / sums.pairs,
        loss=sums.mean_loss,
        perplexity=_perplexity(sums.mean_loss),
        bits_per_character=bits_per_character(sums.mean_loss),
        accuracy=sums.accuracy,
        unknown_rate=counts.unknown / counts.tokens,
        baselines=tuple(
            Baseline(name=name, loss=loss, perplexity=_perplexity(loss), bits_per_character=bits_per_character(loss))
            for name, loss in baselines.losses(data, manifest, split=split).items()
        ),
    )


def context_tokens(dataset: tf.data.Dataset) -> int:
    """How many ids all X of a dataset of pairs hold, the padding not counted."""
    zero = tf.constant(0, tf.int64)
    return int(dataset.reduce(zero, lambda total, pair: total + tf.math.count_nonzero(pair[0])).numpy())


def _perplexity(loss: float) -> float:
    # Where a model has diverged it may be infinite, which `math.exp` refuses.
    return float(np.exp(loss))
