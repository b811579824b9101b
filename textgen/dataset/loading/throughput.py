"""How fast this machine serves a dataset."""

from time import monotonic
from typing import NamedTuple

from textgen.dataset.loading.loader import read_pairs
from textgen.dataset.loading.mixture import Data

_EPOCHS = 1 << 30
"""So that a small dataset does not end within the measurement."""


class Throughput(NamedTuple):
    """What was measured.

    Attributes:
        first_batch_seconds: from the call to the first batch.
        pairs_per_second: in the time after it.
    """

    first_batch_seconds: float
    pairs_per_second: float


def measure(data: Data, *, batch_size: int, seconds: float) -> Throughput:
    """Serves shuffled batches of the training split for so many seconds, and does nothing with them.

    Raises:
        UserError: the folder is no dataset.
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
