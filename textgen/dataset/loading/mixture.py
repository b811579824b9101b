"""Mixes datasets: checks their weights and that they are compatible, and reads sampled pairs."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from textgen.config import VOCABULARY_FILE
from textgen.dataset.loading.arguments import check_weight
from textgen.dataset.loading.batch_sampler import SampledPairs
from textgen.dataset.loading.shuffled_split import ShuffledSplit
from textgen.dataset.loading.split_reader import SplitReader
from textgen.dataset.loading.tuning import DEFAULT_TUNING, Tuning
from textgen.errors import UserError, require

Data: TypeAlias = (
    str | os.PathLike[str] | Mapping[str, float] | Mapping[Path, float] | Mapping[os.PathLike[str], float]
)
"""Folder or URL of a dataset, or those of several datasets with their weights."""


def weights_of(data: Data) -> dict[str, float]:
    """Returns the weight of each dataset, by folder or URL.

    Raises:
        UserError: no dataset is given, one is given twice, or a weight is not above 0.
    """
    if not isinstance(data, Mapping):
        return {_path(data): 1.0}
    require(bool(data), "no dataset is given; name at least one.")
    weights: dict[str, float] = {}
    for path, weight in data.items():
        folder = _path(path)
        require(
            folder not in weights, f"the dataset {folder} is given twice; a dataset has one weight. Name it once."
        )
        check_weight(f"the weight of {folder}", weight)
        weights[folder] = weight
    return weights


def _path(data: Any) -> str:
    try:
        return os.fspath(data)
    except TypeError:
        raise UserError(
            f"the dataset is {data!r}; it must be a folder or a URL, or a mapping of several to their weights."
        ) from None


class Mixture:
    """The same split of one or more datasets.

    Attributes:
        pairs: number of pairs of each dataset.
        weights: weight of each dataset.
        window: W, number of ids in an X, or of targets in a row.
        y_shape: shape of the targets of one pair or row: () or (W,).
        dtype: dtype of the ids.
    """

    def __init__(
        self,
        readers: Mapping[Any, SplitReader],
        weights: Sequence[float],
        *,
        seed: int | None,
        tuning: Tuning = DEFAULT_TUNING,
    ):
        """Checks that the datasets are compatible.

        Args:
            readers: reader of each dataset, by folder.
            weights: weight of each dataset.
            seed: seed of the order; None for the order of the corpus.
            tuning: size of the shuffle groups.

        Raises:
            UserError: the datasets are not compatible.
        """
        (first_name, first), *others = readers.items()
        for name, other in others:
            _check_compatible(first, other, first_name, name)
        self._sources = [ShuffledSplit(reader, seed=seed, tuning=tuning) for reader in readers.values()]
        self.pairs = [reader.pairs for reader in readers.values()]
        self.weights = list(weights)
        self.window, self.y_shape, self.dtype = first.window, first.y_shape, first.dtype

    def read(self, sampled: SampledPairs, x: np.ndarray, y: np.ndarray, *, bounds: Sequence[tuple[int, int]]) -> None:
        """Fills x and y with sampled pairs.

        Args:
            sampled: N pairs.
            x: [N, W], of the dtype of the ids.
            y: [N, *y_shape], of the dtype of the ids.
            bounds: positions [start, end) of the stream of each dataset that are served; nothing else is read.

        Raises:
            UserError: a shard is missing or damaged.
        """
        if len(self._sources) == 1:
            (start, end), *_ = bounds
            self._sources[0].read(sampled.positions, x, y, start=start, end=end)
            return
        for i, (source, (start, end)) in enumerate(zip(self._sources, bounds, strict=True)):
            rows = np.flatnonzero(sampled.sources == i)
            source_x, source_y = np.empty_like(x[: len(rows)]), np.empty_like(y[: len(rows)])
            source.read(sampled.positions[rows], source_x, source_y, start=start, end=end)
            x[rows], y[rows] = source_x, source_y

    def release(self) -> None:
        """Frees the memory of the shuffle groups."""
        for source in self._sources:
            source.release()


def _check_compatible(one: SplitReader, two: SplitReader, one_name: object, two_name: object) -> None:
    """Checks that two datasets have the same ids and windows.

    Raises:
        UserError: they differ in vocabulary, text settings, window or boundaries.
    """

    def traits(reader: SplitReader) -> dict[str, object]:
        return {
            "vocabulary": reader.manifest.tokens_sha256,
            "tokenizer and cleaning": dataclasses.replace(reader.manifest.text, vocabulary_size=1),
            "window": reader.window,
            "boundaries": reader.manifest.config.boundaries,
        }

    differing = [name for name, trait in traits(one).items() if trait != traits(two)[name]]
    if differing:
        raise UserError(
            f"{one_name} and {two_name} differ in their {' and '.join(differing)}; mixed datasets must "
            "agree in these. "
            f"Prepare one with the other's: --vocabulary {one_name}/{VOCABULARY_FILE} and the same options."
        )
