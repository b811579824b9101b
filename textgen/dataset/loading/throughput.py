"""Measures the speed at which this machine serves a dataset."""

from time import monotonic
from typing import NamedTuple

from textgen.dataset.loading.loader import read_pairs
from textgen.dataset.loading.mixture import Data

_EPOCHS = 1 << 30
"""Number of epochs, so large that even a small dataset does not end during the measurement."""


class Throughput(NamedTuple):
    """Result of a measurement.

    Attributes:
        first_batch_seconds: time from the call to the first batch, in seconds.
        pairs_per_second: number of pairs per second after the first batch.
    """

    first_batch_seconds: float
    pairs_per_second: float


def measure(data: Data, *, batch_size: int, seconds: float) -> Throughput:
    """Measures the speed of reading shuffled batches of the training split, without using them.

    Args:
        data: see `textgen.dataset.loading.loader`.
        batch_size: number of pairs in a batch.
        seconds: duration of the measurement after the first batch, in seconds.

    Raises:
        UserError: the folder is not a dataset, or the training split is empty.
    """
    started = monotonic()
    batches = iter(read_pairs(data, batch_size=batch_size, seed=0, epochs=_EPOCHS))
    next(batches)
    first = now = monotonic()
    pairs = 0
    while now < first + seconds:
        pairs += len(next(batches)[1])
        now = monotonic()
    return Throughput(first - started, pairs / (now - first))
