"""Reader for one split: its blocks, their pair counts, and loading of shuffle groups."""

from pathlib import Path

import numpy as np

from textgen.block_cache import BlockCache, open_folder
from textgen.dataset.loading.read_options import LoadOptions, resolve, select_blocks, served_indices
from textgen.dataset.storage.blocks import BlockContent, BlockLocations, locate_blocks, read_blocks
from textgen.dataset.storage.layouts import LAYOUTS, LoadedPairs, LoadedRows
from textgen.dataset.storage.manifest import Manifest, read_manifest
from textgen.folder import Folder


class SplitReader:
    """Reads the blocks of a split that are served. Where rows of targets are read, "pair" stands for a row.

    Attributes:
        manifest: manifest of the dataset.
        window: W.
        y_shape: shape of the target of one pair: (), or (W,) for a row.
        dtype: dtype of the ids that are served.
        blocks: the blocks that are served.
        pairs: number of pairs in them.
    """

    def __init__(self, folder: Folder, manifest: Manifest, split: str, options: LoadOptions, *, compact: bool):
        """Reads the shards only if the pairs with enough context, or the rows, have to be counted.

        Args:
            folder: folder of the dataset.
            manifest: its manifest.
            split: "train", "validation" or "test".
            options: what to serve.
            compact: whether ids keep the dtype that they have on disk; else they are int32.

        Raises:
            UserError: the split is empty, a shard that is counted is damaged, or the dataset can't serve the options.
        """
        self.manifest, self._folder = manifest, folder
        self._layout, self._written = LAYOUTS[manifest.config.layout], manifest.record_format
        self._resolved = resolve(options, self._layout, self._written)
        self.window = self._resolved.request.window
        self.y_shape = (self.window,) if options.rows else ()
        self.dtype = self._written.id_dtype if compact else np.dtype(np.int32)
        blocks = locate_blocks(manifest.shards(split))
        self.blocks = select_blocks(
            blocks, self._counts(blocks), step=self._resolved.step, fraction=self._resolved.fraction
        )
        self.pairs = int(self.blocks.pairs.sum())

    def read_pairs(self, blocks: np.ndarray, order: np.ndarray) -> LoadedPairs:
        """Reads pairs of some blocks, or rows where the options say so.

        Args:
            blocks: int [M], indices into `self.blocks`.
            order: int [N], indices of pairs among those that the M blocks serve, in the order to serve them.

        Raises:
            UserError: a shard is missing or damaged.
        """
        if self._resolved.request.rows:
            return self.read_rows(blocks, order)
        return self._layout.load(*self._read(blocks, order), self._resolved.request, self._written)

    def read_rows(self, blocks: np.ndarray, order: np.ndarray) -> LoadedRows:
        """Reads rows of targets of some blocks, int [M], in an order, int [N]; see `read_pairs`."""
        return self._layout.load_rows(*self._read(blocks, order), self._resolved.request, self._written)

    def _read(self, blocks: np.ndarray, order: np.ndarray) -> tuple[list[BlockContent], np.ndarray]:
        contents = read_blocks(self._folder, [self.blocks.locations[i] for i in blocks])
        if self._resolved.step == 1 and np.array_equal(self.blocks.pairs[blocks], self.blocks.targets[blocks]):
            # All targets are served.
            return contents, order
        return contents, served_indices(self.blocks, blocks, step=self._resolved.step).take(order)

    def _counts(self, blocks: BlockLocations) -> np.ndarray:
        """Returns int [N], the targets with enough context, or the rows, of each block."""
        request = self._resolved.request
        if request.min_context == 1 and not request.rows:
            # The manifest counts the targets.
            return blocks.pairs
        return np.array(
            [
                self._layout.count(read_blocks(self._folder, [location])[0], request, self._written)
                for location in blocks
            ]
        )


def open_split(
    folder: str | Path, split: str, options: LoadOptions, *, compact: bool, cache: BlockCache | None
) -> SplitReader:
    """Opens a split of the dataset in a folder.

    Raises:
        UserError: the folder is no dataset, its split is empty, or it can't serve the options.
    """
    return SplitReader(open_folder(folder, cache=cache), read_manifest(folder), split, options, compact=compact)
