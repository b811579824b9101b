"""Scores held-out documents token by token, for figures of where a model is right and where it is wrong."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from textgen.config import PAD
from textgen.dataset import Manifest
from textgen.generation.scoring import Scorer
from textgen.model.language_model import LanguageModel
from textgen.text.preprocessor import Preprocessor
from textgen.training.text_quality.held_out_texts import sample_texts

_MAX_DOCUMENTS, _MAX_TOKENS = 64, 1 << 16
"""Maximum number of documents that are scored, and of all their tokens."""

_ROWS = 16
_BINS = 10


class ScoredDocument(NamedTuple):
    """A held-out document, or its beginning.

    Attributes:
        ids: int64 [T].
        log_probabilities: float64 [T], of each token after those before it; NaN for one with nothing before it.
        confidences: float64 [T], probability of the most likely token at each place.
        hits: bool [T], whether the token is the most likely one.
    """

    ids: np.ndarray
    log_probabilities: np.ndarray
    confidences: np.ndarray
    hits: np.ndarray

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats per token."""
        return -float(np.nanmean(self.log_probabilities))


def score_documents(
    model: LanguageModel,
    preprocessor: Preprocessor,
    data: str | Path,
    manifest: Manifest,
    *,
    split: str,
) -> list[ScoredDocument]:
    """Returns the scores of a sample of held-out documents, the lowest loss first.

    Of at most 64 documents that are drawn at random, the beginnings are read, about 65,000 tokens in all.

    Args:
        model: the network.
        preprocessor: encodes and decodes its text.
        data: folder or URL of the dataset.
        manifest: its manifest.
        split: "validation" or "test".

    Raises:
        UserError: a shard is missing or damaged, or the shards do not hold every token.
    """
    scorer = Scorer(model, preprocessor, boundaries=manifest.config.boundaries)
    count = max(1, min(_MAX_DOCUMENTS, manifest.counts(split).documents))
    texts = sample_texts(data, manifest, split, count=count, tokens=_MAX_TOKENS // count, seed=0, beginnings=True)
    texts.sort(key=len)
    found = [one for i in range(0, len(texts), _ROWS) for one in _scored(scorer, texts[i : i + _ROWS])]
    return sorted((one for one in found if np.isfinite(one.log_probabilities).any()), key=lambda one: one.loss)


def _scored(scorer: Scorer, texts: Sequence[np.ndarray]) -> Iterator[ScoredDocument]:
    longest = max(map(len, texts))
    ids = np.full((len(texts), longest), PAD, np.int32)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    scores = scorer.score_ids(tf.constant(ids), 1)
    log_probabilities, best = scores.log_probabilities.numpy(), scores.top_log_probabilities.numpy()[..., 0]
    best_ids = scores.top_ids.numpy()[..., 0]
    for index, text in enumerate(texts):
        size = len(text)
        yield ScoredDocument(
            text,
            log_probabilities[index, :size].astype(np.float64),
            np.exp(best[index, :size].astype(np.float64)),
            best_ids[index, :size] == text,
        )


class TargetGroup(NamedTuple):
    """Loss of some tokens.

    Attributes:
        name: which tokens.
        at: number that stands for them.
        tokens: number of tokens.
        loss: mean cross-entropy in nats per token.
    """

    name: str
    at: float
    tokens: int
    loss: float


def loss_by_context(documents: Sequence[ScoredDocument], *, window: int | None) -> list[TargetGroup]:
    """Returns the loss of tokens by the number of ids before them, [BOS] included.

    Args:
        documents: scored documents.
        window: maximum number of ids that the network sees; None for all of them, which are grouped by doubling.
    """
    contexts = np.concatenate([np.arange(1, len(one.ids) + 1) for one in documents])
    if window is not None:
        # All beyond are like the window; of a large window, as many are taken together as a line can show.
        width = math.ceil(window / 64)
        contexts = (np.minimum(contexts, window) - 1) // width * width + 1
    else:
        contexts = 1 << np.log2(contexts).astype(np.int64)
    return [
        group._replace(name=f"{group.at:,.0f}" + (" and more" if group.at == window else ""))
        for group in _groups(documents, contexts)
    ]


def loss_by_frequency(documents: Sequence[ScoredDocument], counts: Sequence[int]) -> list[TargetGroup]:
    """Returns the loss of tokens by how often they occur in the training text, in powers of ten.

    Args:
        documents: scored documents.
        counts: number of occurrences of each id in the training text; -1 for reserved ids.
    """
    occurrences = np.array(counts, np.int64)[np.concatenate([one.ids for one in documents])]
    powers = np.where(occurrences > 0, np.floor(np.log10(np.maximum(occurrences, 1))), -1).astype(np.int64)
    powers[occurrences < 0] = -2
    return [group._replace(name=_range_name(int(group.at))) for group in _groups(documents, powers)]


def _range_name(power: int) -> str:
    if power < 0:
        return "never" if power == -1 else "unknown tokens"
    return f"{10**power:,} to {10 ** (power + 1) - 1:,}"


def _groups(documents: Sequence[ScoredDocument], keys: np.ndarray) -> list[TargetGroup]:
    """Returns the loss of the scored tokens with each key, int [N], in ascending order of the keys."""
    losses = -np.concatenate([one.log_probabilities for one in documents])
    is_scored = np.isfinite(losses)
    values, indices = np.unique(keys[is_scored], return_inverse=True)
    counts, sums = np.bincount(indices), np.bincount(indices, losses[is_scored])
    return [
        TargetGroup("", float(value), int(count), float(total / count))
        for value, count, total in zip(values.tolist(), counts, sums, strict=True)
    ]


class Calibration(NamedTuple):
    """Probabilities of the most likely tokens of a model, beside the shares of cases in which they come.

    Attributes:
        confidences: mean probability of the most likely token, in each of ten ranges of it that have tokens.
        accuracies: share of cases in which it came.
        tokens: number of tokens.
        error: expected calibration error, the mean of the differences, weighted by tokens.
    """

    confidences: list[float]
    accuracies: list[float]
    tokens: list[int]
    error: float


def calibration(documents: Sequence[ScoredDocument]) -> Calibration:
    """Returns the calibration, after Guo et al. 2017, "On calibration of modern neural networks"."""
    is_scored = np.concatenate([np.isfinite(one.log_probabilities) for one in documents])
    confidences = np.concatenate([one.confidences for one in documents])[is_scored]
    hits = np.concatenate([one.hits for one in documents])[is_scored]
    bins = np.minimum((confidences * _BINS).astype(np.int64), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    kept = np.flatnonzero(counts)
    means = np.bincount(bins, confidences, _BINS)[kept] / counts[kept]
    shares = np.bincount(bins, hits, _BINS)[kept] / counts[kept]
    error = float(np.abs(means - shares) @ counts[kept] / counts.sum())
    return Calibration(means.tolist(), shares.tolist(), counts[kept].tolist(), error)
