"""What is served of a split: its blocks, how many pairs each has, and groups of them."""

import numpy as np

from textgen.dataset.loading.read_options import Choice, choose, settle
from textgen.dataset.loading.shuffle_groups import (
    Group,
    PairGroup,
    RowGroup,
    SpanGroup,
    count_rows,
    count_targets,
    read_spans,
    served_targets,
)
from textgen.dataset.storage.manifest import Manifest
from textgen.dataset.storage.records import span_dtype
from textgen.dataset.storage.shards import Place, block_places, read_blocks
from textgen.files import Folder


class Stock:
    """The blocks of a split that are served. Where rows of targets are chosen, a pair is such a row.

    Attributes:
        manifest: that of the dataset.
        window: W.
        y_shape: of a pair: (), or (W,) of a row.
        dtype: that of the ids that are served.
        blocks: which blocks these are.
        pairs: how many pairs they have together.
    """

    def __init__(self, folder: Folder, manifest: Manifest, split: str, choice: Choice, *, compact: bool):
        """`compact`: whether ids keep the dtype that they have on disk.

        Raises:
            UserError: the split is empty, or the choice is one that the dataset can't serve.
        """
        self.manifest = manifest
        self._folder = folder
        self._settled = settle(choice, manifest.config)
        self.window = self._settled.window
        self.y_shape = (self.window,) if choice.rows else ()
        self._stored = span_dtype(manifest.vocabulary_size)
        self.dtype = self._stored if compact else np.dtype(np.int32)
        places = block_places(manifest.shards(split))
        self.blocks = choose(places, self._counts(places), step=self._settled.step, fraction=self._settled.fraction)
        self.pairs = int(self.blocks.pairs.sum())

    def read(self, which: np.ndarray, order: np.ndarray) -> Group:
        """The pairs of some blocks.

        Args:
            which: the numbers of the blocks.
            order: the numbers of all of their pairs that are served, in the order to serve them.

        Raises:
            UserError: a shard is missing or damaged.
        """
        contents = read_blocks(self._folder, [self.blocks.places[i] for i in which])
        served = served_targets(self.blocks, which, step=self._settled.step).take(order)
        config = self.manifest.config
        if config.layout == "pairs":
            return PairGroup(contents, served, window=config.window, vocabulary_size=self.manifest.vocabulary_size)
        sequences = read_spans(
            contents, stride=config.stride, min_context=self._settled.min_context, dtype=self._stored
        )
        if self._settled.rows:
            return RowGroup(sequences, served, window=self.window)
        return SpanGroup(sequences, served, window=self.window, stride=config.stride)

    def _counts(self, places: list[Place]) -> np.ndarray:
        """int[N], the targets with enough context of each block, or its rows; the manifest has the targets alone."""
        if self._settled.min_context == 1 and not self._settled.rows:
            return np.array([place.block.pairs for place in places])
        return np.array([self._count(*read_blocks(self._folder, [place])) for place in places])

    def _count(self, content: bytes) -> int:
        if self._settled.rows:
            return count_rows(content, window=self.window, dtype=self._stored)
        return count_targets(
            content,
            stride=self.manifest.config.stride,
            min_context=self._settled.min_context,
            dtype=self._stored,
        )
