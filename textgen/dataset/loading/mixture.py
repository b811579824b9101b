"""Several datasets as one: which they are, whether they fit together, and the pairs of a batch from all of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from textgen.block_cache import BlockCache
from textgen.config import VOCABULARY_FILE
from textgen.dataset.loading.batch_sampler import SampledPairs
from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.shuffled_split import ShuffledSplit
from textgen.dataset.loading.split_reader import SplitReader, open_split
from textgen.errors import UserError, require

Data: TypeAlias = str | Path | Mapping[str, float] | Mapping[Path, float]
"""A dataset's folder, or several with their weights."""


def weights_of(data: Data) -> Mapping[str, float] | Mapping[Path, float]:
    """Each dataset and its weight.

    Raises:
        UserError: there is none, or a weight is not above 0.
    """
    if not isinstance(data, Mapping):
        return {str(data): 1.0}
    require(bool(data), "no dataset is given; name at least one.")
    for directory, weight in data.items():
        require(weight > 0, f"the weight of {directory} is {weight}; it must be above 0.")
    return data


class Mixture:
    """The same split of one dataset or more.

    Attributes:
        pairs: how many pairs each has in an epoch.
        weights: of each.
        window: W.
        y_shape: of a pair: (), or (W,) where rows of targets are read.
        dtype: that of the ids.
    """

    def __init__(
        self,
        data: Data,
        split: str,
        options: LoadOptions,
        *,
        seed: int | None,
        compact: bool,
        cache: BlockCache | None,
    ):
        """See `read_pairs` for what these are.

        Raises:
            UserError: a folder is no dataset, its split is empty, it can't serve the options, or they don't fit.
        """
        weights = weights_of(data)
        readers = [open_split(folder, split, options, compact=compact, cache=cache) for folder in weights]
        first, *others = readers
        for other, name in zip(others, list(weights)[1:], strict=True):
            _check_alike(first, other, next(iter(weights)), name)
        self._sources = [ShuffledSplit(reader, seed=seed) for reader in readers]
        self.pairs = [reader.pairs for reader in readers]
        self.weights = list(weights.values())
        self.window, self.y_shape, self.dtype = first.window, first.y_shape, first.dtype

    def cut(self, share: SampledPairs, x: np.ndarray, y: np.ndarray, *, ends: Sequence[int]) -> None:
        """Fills x [N, W] and y [N, *y_shape] with the pairs of a share.

        `ends` are where the streams of the sources will stop.

        Raises:
            UserError: a shard is missing or damaged.
        """
        if len(self._sources) == 1:
            self._sources[0].cut(share.places, x, y, end=ends[0])
            return
        for i, source in enumerate(self._sources):
            mine = np.flatnonzero(share.sources == i)
            cut_x, cut_y = np.empty_like(x[: len(mine)]), np.empty_like(y[: len(mine)])
            source.cut(share.places[mine], cut_x, cut_y, end=ends[i])
            x[mine], y[mine] = cut_x, cut_y

    def release(self) -> None:
        """Frees the memory of what was read."""
        for source in self._sources:
            source.release()


def _check_alike(one: SplitReader, two: SplitReader, one_name: object, two_name: object) -> None:
    """Refuses to mix datasets whose ids don't mean the same."""

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
            f"{one_name} and {two_name} differ in their {' and '.join(differing)}; datasets that are mixed are alike "
            f"in these. Prepare one with the other's: --vocabulary {one_name}/{VOCABULARY_FILE} and the same options."
        )
