"""Metrics of training and of held-out splits, from sums over targets."""

import math
from typing import NamedTuple

from textgen.dataset.storage.manifest import Manifest

_LARGEST_LOSS = 700
"""Loss in nats per target above which its exponential overflows float64."""


class MetricSums(NamedTuple):
    """Sums over steps.

    Attributes:
        loss: sum of the cross-entropy over targets, in nats.
        correct: number of targets that are the model's most likely token.
        pairs: number of targets.
        norms: sum of the gradient norms before clipping over steps.
        waited: seconds for which steps waited for their batches.
    """

    loss: float = 0.0
    correct: float = 0.0
    pairs: float = 0.0
    norms: float = 0.0
    waited: float = 0.0

    @property
    def mean_loss(self) -> float:
        """Cross-entropy in nats per target."""
        return self.loss / self.pairs

    @property
    def accuracy(self) -> float:
        """Fraction of targets that are the model's most likely token."""
        return self.correct / self.pairs


ZERO_SUMS = MetricSums()


def perplexity(loss: float) -> float:
    """Returns the exponential of the loss in nats per target; infinity if it overflows."""
    return math.exp(loss) if loss < _LARGEST_LOSS else math.inf


def bits_per_character(loss: float, manifest: Manifest, split: str) -> float | None:
    """Returns the loss of a whole split in bits per character of its cleaned text.

    Args:
        loss: mean cross-entropy in nats per target.
        manifest: the dataset's manifest.
        split: the split on which the loss was computed, or "all".

    Returns:
        Bits per character; None if the dataset's stride skips targets.
    """
    counts = manifest.counts(split)
    return loss * counts.pairs / math.log(2) / counts.characters if manifest.config.stride == 1 else None
