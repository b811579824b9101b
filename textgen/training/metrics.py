"""Metrics of training and of held-out splits, from sums over targets."""

import math
from typing import NamedTuple

from textgen.dataset.storage.manifest import Manifest

_LARGEST_LOSS = 700
"""Nats per target above which e to the loss overflows float64."""


class MetricSums(NamedTuple):
    """Sums over steps.

    Attributes:
        loss: cross-entropy in nats, summed over targets.
        correct: number of targets that are the model's most likely token.
        pairs: number of targets.
        norms: gradient norms before clipping, summed over steps.
        waited: seconds that steps waited for their batch.
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
    """Returns e to the loss in nats per target; infinity if that overflows."""
    return math.exp(loss) if loss < _LARGEST_LOSS else math.inf


def bits_per_character(loss: float, manifest: Manifest, split: str) -> float | None:
    """Returns the loss of a whole split in bits per character of its cleaned text.

    Args:
        loss: mean cross-entropy in nats per target.
        manifest: the dataset's manifest.
        split: the split on which the loss was computed.

    Returns:
        None if the dataset's stride leaves out targets.
    """
    counts = manifest.total.splits[split]
    return loss * counts.pairs / math.log(2) / counts.characters if manifest.config.stride == 1 else None
