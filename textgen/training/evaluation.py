"""How well a model predicts held-out text: every target once, beside a baseline on the same targets."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from textgen.config import EOS, UNK
from textgen.dataset import read_manifest, read_pairs
from textgen.dataset.manifest import Manifest
from textgen.errors import UserError
from textgen.model.run import RunConfig
from textgen.text import vocabulary
from textgen.training.batches import Feed
from textgen.training.scoring import bits_per_character, make_score
from textgen.training.strategy import Replicas


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A model on a split.

    Attributes:
        split: the split.
        pairs: targets scored, each once.
        context_tokens: W, the tokens that the model sees at the most.
        loss: nats a token.
        perplexity: e to the loss.
        bits_per_character: the loss of the whole split in bits, over the characters of its cleaned text. None where
            the stride leaves targets out.
        accuracy: the share of targets that are the model's first guess.
        unknown_rate: the share of the split's tokens that have no id.
        unigram_loss: nats a token by the training split's frequencies alone, on the same targets.
        unigram_perplexity: e to that.
        unigram_bits_per_character: as above.
    """

    split: str
    pairs: int
    context_tokens: int
    loss: float
    perplexity: float
    bits_per_character: float | None
    accuracy: float
    unknown_rate: float
    unigram_loss: float
    unigram_perplexity: float
    unigram_bits_per_character: float | None


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
    replicas = Replicas(tf.distribute.get_strategy())
    sums = make_score(replicas, model)(Feed(data, config, replicas).held_out(split))
    counts = manifest.total.splits[split]
    dataset = read_pairs(data, split=split, batch_size=batch_size, window=1)
    unigram = float(target_counts(dataset, manifest.vocabulary_size) @ unigram_losses(data, manifest)) / sums.pairs

    return Evaluation(
        split=split,
        pairs=int(sums.pairs),
        context_tokens=config.window,
        loss=sums.mean_loss,
        perplexity=float(np.exp(sums.mean_loss)),
        bits_per_character=bits_per_character(sums.mean_loss, manifest, split),
        accuracy=sums.accuracy,
        unknown_rate=counts.unknown / counts.tokens,
        unigram_loss=unigram,
        unigram_perplexity=float(np.exp(unigram)),
        unigram_bits_per_character=bits_per_character(unigram, manifest, split),
    )


def target_counts(dataset: tf.data.Dataset, vocabulary_size: int) -> np.ndarray:
    """int64 [vocabulary_size], how often each id is a target."""
    zeros = tf.zeros([vocabulary_size], tf.int64)
    return dataset.reduce(
        zeros,
        lambda counts, pair: counts + tf.math.bincount(pair[1], minlength=vocabulary_size, dtype=tf.int64),
    ).numpy()


def unigram_losses(data: str | Path, manifest: Manifest) -> np.ndarray:
    """float64 [vocabulary_size], the nats of each id by its training frequency, with one added to every count."""
    train = manifest.total.splits["train"]
    counts = np.ones(manifest.vocabulary_size)
    counts[vocabulary.FIRST_ID :] += vocabulary.load(data).counts
    counts[UNK] += train.unknown
    if manifest.config.boundaries:
        # With `tail` a document ends in a held-out split, if anything is held out.
        ends_in_train = manifest.config.split_by == "document" or not sum(manifest.config.held_out_percent().values())
        counts[EOS] += train.documents * ends_in_train
    return -np.log(counts / counts.sum())
