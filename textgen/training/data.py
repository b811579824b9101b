"""What a run is fed: the batches of its epochs from any step on, and held-out batches to measure with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from textgen.block_cache import BlockCache
from textgen.dataset import Data, read_pairs, read_sequences
from textgen.errors import require
from textgen.model.language_model import LanguageModel
from textgen.runs import RunConfig
from textgen.training.losses import make_states
from textgen.training.strategy import MakeBatches, Replicas

_ROWS_A_LANE = 32
"""At the least, of held-out rows that are read on from each other: only a lane's first may know too little."""

_MEMORIES_A_LANE = 8
"""At the least: for an eighth of its targets at the most a memory is not yet full."""


class HeldOutBatches(NamedTuple):
    """HeldOutBatches that are taken one after another.

    Attributes:
        iterator: gives them.
        steps: how many there are.
        lanes: how many rows go on from the batch before; 0 where none does.
    """

    iterator: Iterator[Any]
    steps: int
    lanes: int = 0


class TrainingData:
    """The batches of one run.

    Attributes:
        steps_per_epoch: batches in an epoch.
        last_step: batches in all epochs.
    """

    def __init__(self, data: Data, config: RunConfig, replicas: Replicas, *, cache: BlockCache | None = None):
        """See `train` for what these are.

        Raises:
            UserError: the data can't be served as the run wants it.
        """
        require(
            not config.train.stateful or replicas.count == 1,
            f"{replicas.count} devices train, and states are carried from batch to batch on one alone. Leave "
            "--stateful out, or use --strategy one.",
        )
        self._data, self._config, self._replicas, self._cache = data, config, replicas, cache
        self.last_step = int(self._training(0)(0, 1).cardinality())
        self.steps_per_epoch = self.last_step // config.train.epochs

    def training(self, start_step: int) -> Iterator[Any]:
        """HeldOutBatches from a step on."""
        return iter(self._replicas.batches(self._training(start_step)))

    def make_states(self, model: LanguageModel) -> list[tf.Variable]:
        """The states that rows go on from, one row a lane; none where every row begins anew."""
        train = self._config.train
        return make_states(model, train.batch_size) if train.stateful else []

    def held_out(self, split: str) -> Iterable[HeldOutBatches]:
        """All targets of a split, each once."""
        size = self._config.train.batch_size
        return held_out(self._data, self._config, self._replicas, split=split, batch_size=size, cache=self._cache)

    def _training(self, start_step: int) -> MakeBatches:
        config, train = self._config, self._config.train

        def make(worker: int, workers: int) -> tf.data.Dataset:
            shared: dict[str, Any] = {
                "batch_size": train.batch_size, "seed": train.seed, "epochs": train.epochs, "start_step": start_step,
                "window": config.window, "worker": worker, "workers": workers, "cache": self._cache,
            }  # fmt: skip
            if not config.model.causal:
                return read_pairs(self._data, **shared)
            if train.stateful:
                # Rows that go on from each other are in the order of the corpus.
                return read_sequences(self._data, **{**shared, "seed": None}, stateful=True)
            return read_sequences(self._data, **shared)

        return make


def held_out(
    data: Data,
    config: RunConfig,
    replicas: Replicas,
    *,
    split: str,
    batch_size: int,
    cached_tokens: int = 0,
    cache: BlockCache | None = None,
) -> Iterable[HeldOutBatches]:
    """All targets of a split, each once, in batches of that size at the most.

    Rows that go on from each other do so long enough for a memory of so many tokens to be full most of the time.

    Raises:
        UserError: the data can't be served as the run wants it.
    """
    if not config.model.causal:
        return [_pairs(data, config, replicas, split=split, batch_size=batch_size, cache=cache)]
    rows_a_lane = max(_ROWS_A_LANE, _MEMORIES_A_LANE * cached_tokens // config.window)
    return _lanes(data, config, split=split, most=batch_size, rows_a_lane=rows_a_lane, cache=cache)


def _pairs(
    data: Data, config: RunConfig, replicas: Replicas, *, split: str, batch_size: int, cache: BlockCache | None
) -> HeldOutBatches:
    def make(worker: int, workers: int) -> tf.data.Dataset:
        return read_pairs(
            data,
            split=split,
            batch_size=batch_size,
            window=config.window,
            worker=worker,
            workers=workers,
            cache=cache,
        )

    return HeldOutBatches(iter(replicas.batches(make)), int(make(0, 1).cardinality()))


def _lanes(
    data: Data, config: RunConfig, *, split: str, most: int, rows_a_lane: int, cache: BlockCache | None
) -> Iterator[HeldOutBatches]:
    """The rows of a split in lanes that go on from batch to batch, then the few that are left, in one."""

    def read(lanes: int, start_step: int = 0) -> HeldOutBatches:
        rows = read_sequences(
            data,
            split=split,
            batch_size=lanes,
            start_step=start_step,
            window=config.window,
            stateful=True,
            cache=cache,
        )
        return HeldOutBatches(iter(rows), int(rows.cardinality()), lanes)

    rows = read(1).steps
    lanes = max(1, min(most, rows // rows_a_lane))
    together = read(lanes)
    yield together
    if together.steps * lanes < rows:
        yield read(1, together.steps * lanes)


def count_context_tokens(data: str | Path, config: RunConfig, split: str) -> int:
    """Returns the number of ids in the X of all pairs of a split, padding excluded."""
    dataset = read_pairs(data, split=split, batch_size=1024, window=config.window)
    zero = tf.constant(0, tf.int64)
    return int(dataset.reduce(zero, lambda total, pair: total + tf.math.count_nonzero(pair[0])).numpy())
