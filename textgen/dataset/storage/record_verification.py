"""Decodes the records of a shard, and compares them with the manifest's counts.

The checksums of a manifest find damage. They do not tell whether the records are those of a preparation: whoever
writes a dataset writes the checksums too.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from textgen.config import BOS, EOS, PAD
from textgen.dataset.storage.blocks import BlockContent, RecordError
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.manifest import Manifest
from textgen.dataset.storage.split_counts import SplitCounts


def record_fault(contents: Iterable[BlockContent], manifest: Manifest, counts: SplitCounts) -> str:
    """Returns a description of the first fault in the records of a shard; empty if there is none.

    Args:
        contents: all blocks of the shard, in order.
        manifest: manifest of the dataset.
        counts: counts of the shard's split in its unit.
    """
    layout, written = LAYOUTS[manifest.config.layout], manifest.record_format
    begun = tokens = 0
    try:
        for restored in layout.restore(_whole(contents), written, exact=True):
            if (restored.ids == PAD).any():
                return f"written wrong: {PAD} is a token id; it is the padding of windows"
            begun += len(restored.starts)
            tokens += int(np.count_nonzero((restored.ids != BOS) & (restored.ids != EOS)))
    except RecordError as error:
        return error.what
    if layout.not_restorable(written) or written.stride > written.window:
        return ""
    # A document that is too short for a pair is in no record, and the last ids of one may be in no pair.
    without_pairs = counts.documents - begun
    missing = without_pairs + begun * (written.stride - 1)
    for what, stated, found, most in (
        ("documents", counts.documents, begun, counts.documents),
        ("tokens", counts.tokens, tokens, missing),
    ):
        if not found <= stated <= found + most:
            return f"written wrong: it has {found:,} {what}; the manifest has {stated:,}"
    return ""


def _whole(contents: Iterable[BlockContent]) -> Iterator[BlockContent]:
    for content in contents:
        if not content.is_whole:
            raise content.error("its CRC-32 is not that of the manifest")
        yield content
