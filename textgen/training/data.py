"""Batches of a run: training batches from any step on, and held-out batches for evaluation."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from textgen.block_cache import BlockCache
from textgen.dataset import Data, Manifest, read_pairs, read_sequences
from textgen.errors import require
from textgen.model.language_model import LanguageModel
from textgen.runs import RunConfig
from textgen.training.losses import make_states
from textgen.training.strategy import MakeBatches, Replicas

_STEPS_PER_ROW = 32
"""Least number of consecutive windows per stateful row: the first one may lack the context before it."""

_CACHES_PER_ROW = 8
"""Least length of a stateful row in neural caches: the cache is full for at least 7 of 8 targets."""


class HeldOutBatches(NamedTuple):
    """Consecutive batches of held-out pairs.

    Attributes:
        iterator: yields the batches.
        steps: number of batches.
        stateful_rows: number of rows whose LSTM state continues from the previous batch; 0 if rows are independent.
    """

    iterator: Iterator[Any]
    steps: int
    stateful_rows: int = 0


class ValidationSource(NamedTuple):
    """Datasets on which the model of a run is validated.

    Attributes:
        data: a dataset's folder or URL, or several with their weights.
        split: "validation", or "all" for whole datasets.
        manifests: manifest of each dataset.
    """

    data: Data
    split: str
    manifests: tuple[Manifest, ...]

    @property
    def has_targets(self) -> bool:
        """Whether every dataset has targets in the split."""
        return all(manifest.counts(self.split).pairs for manifest in self.manifests)


class TrainingData:
    """Batches of one run.

    A batch is (int32 [B, W], int32 [B]) for a `bilstm`, (int32 [B, W], int32 [B, W]) for an `lstm`, and with
    stateful rows also bool [B]: the rows that begin from zero states.

    Attributes:
        steps_per_epoch: number of batches per epoch.
        last_step: number of batches in all epochs.
    """

    def __init__(self, data: Data, config: RunConfig, replicas: Replicas, *, cache: BlockCache | None = None):
        """Opens the training split.

        Args:
            data: a dataset's folder or URL, or several with their weights.
            config: settings of the run.
            replicas: devices that train.
            cache: cache for blocks of remote shards.

        Raises:
            UserError: the dataset's layout does not have the run's windows or rows, or the rows are stateful and
                several devices train.
        """
        require(
            not config.train.stateful or replicas.count == 1,
            f"{replicas.count} devices train; stateful rows are trained on one device. Leave --stateful out, or use "
            "--strategy one.",
        )
        self._data, self._config, self._replicas, self._cache = data, config, replicas, cache
        self.last_step = int(self._training(0)(0, 1).cardinality())
        self.steps_per_epoch = self.last_step // config.train.epochs

    def training(self, start_step: int) -> Iterator[Any]:
        """Yields the training batches from a step on."""
        return iter(self._replicas.batches(self._training(start_step)))

    def make_states(self, model: LanguageModel) -> list[tf.Variable]:
        """Returns the states of stateful rows, float [B, units] each; an empty list if rows are independent."""
        train = self._config.train
        return make_states(model, train.batch_size) if train.stateful else []

    def validation(self, source: ValidationSource) -> Iterable[HeldOutBatches]:
        """Returns the batches on which the model is validated, with every target once."""
        data, split, _ = source
        size = self._config.train.batch_size
        return held_out(data, self._config, self._replicas, split=split, batch_size=size, cache=self._cache)

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
                # Consecutive batches follow the order of the corpus, so nothing is shuffled.
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
    """Returns the batches of a split, with every target once; an `lstm` gets stateful rows.

    Args:
        data: a dataset's folder or URL, or several with their weights.
        config: settings of the run.
        replicas: devices that share each batch of a `bilstm`.
        split: "train", "validation", "test", or "all" for whole datasets.
        batch_size: largest number of rows per batch.
        cached_tokens: size of the neural cache; stateful rows are long enough that it is full for most targets.
        cache: cache for blocks of remote shards.

    Raises:
        UserError: the split is empty, or the dataset's layout does not have the run's windows or rows.
    """
    if not config.model.causal:
        return [_pairs(data, config, replicas, split=split, batch_size=batch_size, cache=cache)]
    steps_per_row = max(_STEPS_PER_ROW, _CACHES_PER_ROW * cached_tokens // config.window)
    return _stateful(data, config, split=split, max_rows=batch_size, steps_per_row=steps_per_row, cache=cache)


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


def _stateful(
    data: Data, config: RunConfig, *, split: str, max_rows: int, steps_per_row: int, cache: BlockCache | None
) -> Iterator[HeldOutBatches]:
    """Yields batches of several stateful rows, then the remaining windows as batches of one row."""

    def read(rows: int, start_step: int = 0) -> HeldOutBatches:
        batches = read_sequences(
            data,
            split=split,
            batch_size=rows,
            start_step=start_step,
            window=config.window,
            stateful=True,
            cache=cache,
        )
        return HeldOutBatches(iter(batches), int(batches.cardinality()), rows)

    windows = read(1).steps
    rows = max(1, min(max_rows, windows // steps_per_row))
    batches = read(rows)
    yield batches
    if batches.steps * rows < windows:
        yield read(1, batches.steps * rows)


def count_context_tokens(data: str | Path, config: RunConfig, split: str) -> int:
    """Returns the number of ids in the X of all pairs of a split, padding excluded."""
    dataset = read_pairs(data, split=split, batch_size=1024, window=config.window)
    zero = tf.constant(0, tf.int64)
    return int(dataset.reduce(zero, lambda total, pair: total + tf.math.count_nonzero(pair[0])).numpy())
