"""Reads the ids of a split in the order of the corpus, each once, block by block."""

from collections.abc import Iterator
from pathlib import Path

from textgen.dataset.storage.blocks import locate_blocks, read_blocks
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.manifest import Manifest
from textgen.dataset.storage.records import RestoredIds
from textgen.folder import Folder


def not_restorable(manifest: Manifest) -> str:
    """Returns the reason why the ids of a dataset's documents cannot be restored; empty if they can."""
    config = manifest.config
    if config.stride > config.window:
        return f"the stride, {config.stride}, leaves out tokens, as it is above the window, {config.window}"
    return LAYOUTS[config.layout].not_restorable(manifest.record_format)


def read_restored(directory: str | Path, manifest: Manifest, split: str) -> Iterator[RestoredIds]:
    """Yields the ids of a split, [BOS] and [EOS] included; nothing for an empty split.

    Args:
        directory: folder of the dataset, local or a URL.
        manifest: its manifest.
        split: "train", "validation" or "test".

    Raises:
        UserError: a shard is missing or damaged.
    """
    folder = Folder(directory)
    locations = locate_blocks(shard for shard in manifest.total.shards if shard.split == split)
    contents = (read_blocks(folder, [location])[0] for location in locations)
    return LAYOUTS[manifest.config.layout].restore(contents, manifest.record_format)
