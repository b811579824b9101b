"""Batches of a run: training batches from any step on, and held-out batches for evaluation."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from textgen.block_cache import BlockCache
from textgen.dataset import Data, Manifest, read_manifest, read_pairs, read_sequences, weights_of
from textgen.dataset.loading.document_batches import DocumentBatch, read_documents
from textgen.errors import require
from textgen.model.language_model import LanguageModel
from textgen.runs import RunConfig
from textgen.training.losses import make_states
from textgen.training.strategy import MakeBatches, Replicas

_RESTARTS = 0.01
"""Fraction of stateful rows that begin from zero states at each step. On one long document a network would otherwise
not learn to begin, and evaluation and generation begin from zero states."""

_MAX_ROWS = 256
"""Maximum number of documents that are read at the same time; more are not faster."""

_MAX_POSITIONS, _MAX_LOGITS, _MIN_WIDTH = 1 << 14, 1 << 25, 16
"""Maximum number of tokens per batch of documents, of their logits, and of tokens per row if there are many rows."""

_MAX_CACHED = 1 << 25
"""Maximum number of components of all vectors in the neural caches of a batch."""

_STRETCH_TARGETS = 4096
"""Number of targets after which validation divides a long document."""


class HeldOutBatches(NamedTuple):
    """Batches of held-out pairs.

    Attributes:
        batches: the batches, which can be iterated any number of times.
        steps: number of batches.
    """

    batches: Iterable[Any]
    steps: int


class HeldOutDocuments(NamedTuple):
    """Batches of held-out documents.

    Attributes:
        batches: the batches, which can be iterated once.
        weight: factor of the sums over their targets.
    """

    batches: Iterator[DocumentBatch]
    weight: float = 1.0


HeldOut: TypeAlias = Iterable[HeldOutBatches | HeldOutDocuments]
"""Held-out text to evaluate on: pairs of a `bilstm`, or documents of an `lstm`."""


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
        self._unserved: tf.data.Dataset | None = self._training(0)(0, 1)
        self.last_step = int(self._unserved.cardinality())
        self.steps_per_epoch = self.last_step // config.train.epochs

    def training(self, start_step: int) -> Iterator[Any]:
        """Yields the training batches from a step on."""
        opened, self._unserved = self._unserved, None
        if opened is not None and start_step == 0 and self._replicas.count == 1:
            # To open the rows of an `lstm` again would read the whole split once more, to count them.
            return iter(opened)
        return iter(self._replicas.batches(self._training(start_step)))

    def make_states(self, model: LanguageModel) -> list[tf.Variable]:
        """Returns the states of stateful rows, float [B, units] each; an empty list if rows are independent."""
        train = self._config.train
        return make_states(model, train.batch_size) if train.stateful else []

    def validation(self, source: ValidationSource) -> HeldOut:
        """Returns the batches on which the model is validated, with every target once.

        An `lstm` reads a document of more than 4,096 targets in stretches of that length, all at the same time, each
        after the 1,024 tokens before it. So a check does not read one long document token by token.
        """
        data, split, _ = source
        size, stretches = self._config.train.batch_size, _STRETCH_TARGETS
        return held_out(
            data, self._config, self._replicas,
            split=split, batch_size=size, max_targets=stretches, cache=self._cache,
        )  # fmt: skip

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
                # Consecutive batches follow the order of the corpus; the seed is that of the restarts.
                return read_sequences(self._data, **shared, stateful=True, restarts=_RESTARTS)
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
    max_targets: int | None = None,
    cache: BlockCache | None = None,
) -> HeldOut:
    """Returns the batches of a split, with every target once; an `lstm` reads documents from their beginning.

    Args:
        data: a dataset's folder or URL, or several with their weights. The documents of several are weighted so that
            each dataset has its share of the mean; their pairs are mixed in these shares.
        config: settings of the run.
        replicas: devices that share each batch of a `bilstm`.
        split: "train", "validation", "test", or "all" for whole datasets.
        batch_size: maximum number of pairs, or of documents, per batch.
        cached_tokens: size of the neural cache, which limits the number of documents per batch.
        max_targets: number of targets after which a longer document is divided; see `read_documents`.
        cache: cache for blocks of remote shards.

    Raises:
        UserError: the split is empty, or the dataset's layout does not have the run's windows or its documents.
        OSError: a file can't be read.
    """
    if not config.model.causal:
        return [_pairs(data, config, replicas, split=split, batch_size=batch_size, cache=cache)]
    positions = min(_MAX_POSITIONS, max(_MIN_WIDTH, _MAX_LOGITS // config.vocabulary_size))
    rows = min(batch_size, _MAX_ROWS, positions // _MIN_WIDTH)
    if cached_tokens:
        width = max(config.model.embedding, *config.model.widths)
        rows = max(1, min(rows, _MAX_CACHED // (cached_tokens * width)))
    weights = weights_of(data)
    targets = {folder: read_manifest(folder).counts(split).pairs for folder in weights}
    scale = sum(targets.values()) / sum(weights.values())
    return [
        HeldOutDocuments(
            read_documents(folder, split=split, rows=rows, positions=positions, max_targets=max_targets, cache=cache),
            weight * scale / targets[folder] if len(weights) > 1 else 1.0,
        )
        for folder, weight in weights.items()
    ]


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

    whole = make(0, 1)
    # Of one device the batches are those; the datasets of several devices have no length.
    return HeldOutBatches(whole if replicas.count == 1 else replicas.batches(make), int(whole.cardinality()))


def count_context_tokens(data: str | Path, config: RunConfig, split: str) -> int:
    """Returns the number of ids in the X of all pairs of a split, padding excluded."""
    dataset = read_pairs(data, split=split, batch_size=1024, window=config.window)
    zero = tf.constant(0, tf.int64)
    return int(dataset.reduce(zero, lambda total, pair: total + tf.math.count_nonzero(pair[0])).numpy())
