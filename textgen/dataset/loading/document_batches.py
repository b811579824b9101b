"""Reads the documents of a split side by side, each from its beginning, for a model that keeps its states.

Documents are sorted by length in groups that fit in memory, and those of similar length are read together. So the
rows of a batch end at about the same step, and the rows that continue are always the first ones.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textgen.block_cache import BlockCache, open_folder
from textgen.config import PAD
from textgen.dataset.storage import windows
from textgen.dataset.storage.blocks import locate_blocks, read_blocks
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.manifest import read_manifest
from textgen.dataset.storage.records import RestoredIds
from textgen.dataset.storage.windows import Sequences
from textgen.errors import require

MAX_WIDTH = 512
"""Maximum number of ids per row of a batch, which bounds the duration of a step."""

WARM_UP = 1024
"""Number of ids before a stretch of a long document that are read without being targets."""

_GROUP_IDS = 1 << 23
_BLOCKS_AT_ONCE = 8


class DocumentBatch(NamedTuple):
    """Consecutive ids of documents, one document per row.

    Attributes:
        x: int32 [B, T], ids, padded on the right with PAD; each row has at least one id.
        y: int32 [B, T], the id after each id; PAD where it is no target.
        fresh: whether the rows begin; otherwise row b continues row b of the batch before, which has B rows or more.
    """

    x: np.ndarray
    y: np.ndarray
    fresh: bool


def read_documents(
    folder: str | Path,
    *,
    split: str,
    rows: int,
    positions: int,
    max_targets: int | None = None,
    cache: BlockCache | None = None,
    group_ids: int = _GROUP_IDS,
) -> Iterator[DocumentBatch]:
    """Returns the documents of a split in batches, with every target once.

    The part of a document that belongs to the split is read as a document of its own. A document of more than
    `group_ids` ids is read alone.

    Args:
        folder: folder or URL of a dataset with stride 1, of any layout.
        split: "train", "validation", "test", or "all" for the whole dataset.
        rows: maximum number of documents that are read at the same time.
        positions: maximum number of ids per batch; a row has at least one.
        max_targets: number of targets after which a longer document is divided. Each stretch is read as a document
            of its own, from `WARM_UP` ids before its first target on. None to divide no document.
        cache: cache for blocks of remote shards.
        group_ids: number of ids that are sorted and held in memory at a time.

    Raises:
        UserError: the split is empty, or the shards lack targets or the beginnings of documents. The iterator raises
            it for a damaged shard.
        OSError: a file can't be read.
    """
    manifest = read_manifest(folder)
    layout, written = LAYOUTS[manifest.config.layout], manifest.record_format
    require(
        written.stride == 1,
        f"the stride of {os.fspath(folder)} is {written.stride}; a network with a target at every position needs "
        "every token. Prepare it with --stride 1.",
    )
    reason = layout.not_restorable(written)
    require(not reason, f"{os.fspath(folder)} cannot be read by documents: {reason}. Prepare it with --layout spans.")
    locations, source = iter(locate_blocks(manifest.shards(split))), open_folder(folder, cache=cache)
    several = iter(lambda: list(itertools.islice(locations, _BLOCKS_AT_ONCE)), [])
    contents = itertools.chain.from_iterable(read_blocks(source, some) for some in several)
    groups = _groups(layout.restore(contents, written), size=group_ids, overlap=WARM_UP if max_targets else 1)
    return _batches(groups, rows=rows, positions=positions, max_targets=max_targets)


class _Group(NamedTuple):
    """Documents that are read together.

    Attributes:
        sequences: the documents.
        continues: whether it is one document, which the group before began.
    """

    sequences: Sequences
    continues: bool


def _groups(restored: Iterable[RestoredIds], *, size: int, overlap: int) -> Iterator[_Group]:
    """Yields groups of about `size` ids.

    Args:
        restored: ids of a split.
        size: number of ids in a group. A longer document gives several groups.
        overlap: number of ids before the first target of a group that continues a document, at least 1.
    """
    # `context` ids of the first document were in the group before; it is 0 if the first document begins.
    parts, starts, length, context = list[np.ndarray](), list[np.ndarray](), 0, 0
    for block in restored:
        parts.append(block.ids.astype(np.int32))
        starts.append(block.starts + length)
        length += len(block.ids)
        if length < size:
            continue
        ids, begins = np.concatenate(parts), np.concatenate(starts)
        # The last document may continue. It is held back, unless it is the only one.
        cut = int(begins[-1]) if len(begins) and begins[-1] else length
        yield from _split(ids[:cut], begins[begins < cut], context)
        if cut < length:
            parts, starts, context = [ids[cut:]], [np.zeros(1, np.int64)], 0
        else:
            parts, starts, context = [ids[-overlap:]], [], min(overlap, length)
        length = len(parts[0])
    if parts:
        yield from _split(np.concatenate(parts), np.concatenate([*starts, np.empty(0, np.int64)]), context)


def _split(ids: np.ndarray, begins: np.ndarray, context: int) -> Iterator[_Group]:
    """Yields the end of a document that a group before began, and then the documents that begin here.

    Args:
        ids: int32 [T].
        begins: int [S], index of the first id of each document that begins here.
        context: number of ids at the start that the group before had too; 0 if there is no such document.
    """
    first = int(begins[0]) if len(begins) else len(ids)
    if context < first:
        edges = (np.array([edge]) for edge in (0, context, first))
        yield _Group(Sequences(ids, *edges), continues=True)
    if len(begins):
        yield _Group(Sequences(ids, begins, begins + 1, np.append(begins[1:], len(ids))), continues=False)


def _batches(
    groups: Iterable[_Group], *, rows: int, positions: int, max_targets: int | None
) -> Iterator[DocumentBatch]:
    for group, continues in groups:
        if max_targets:
            stretches = windows.spans(group, context=WARM_UP, max_targets=max_targets)
            yield from _sorted_batches(stretches, rows=rows, positions=positions, fresh=True)
        else:
            yield from _sorted_batches(group, rows=rows, positions=positions, fresh=not continues)


def _sorted_batches(sequences: Sequences, *, rows: int, positions: int, fresh: bool) -> Iterator[DocumentBatch]:
    """Yields batches of `rows` sequences at a time, the longest first.

    Args:
        sequences: the sequences; one without targets is left out.
        rows: maximum number of rows.
        positions: maximum number of ids per batch.
        fresh: False for a single sequence that continues row 0 of the batch before.
    """
    ids, starts, firsts, ends = sequences
    # The last id of a sequence is a target only.
    lengths = np.where(ends > firsts, ends - starts - 1, 0)
    order = np.argsort(-lengths, kind="stable")
    for some in (order[i : i + rows] for i in range(0, np.count_nonzero(lengths), rows)):
        done, begins = 0, fresh
        while len(some := some[lengths[some] > done]):
            width = min(max(1, positions // len(some)), MAX_WIDTH, int(lengths[some[0]]) - done)
            at, last = starts[some, None] + done + np.arange(width), ends[some, None] - 1
            x = np.where(at < last, ids[np.minimum(at, last)], PAD)
            y = np.where((at < last) & (at + 1 >= firsts[some, None]), ids[np.minimum(at + 1, last)], PAD)
            yield DocumentBatch(x.astype(np.int32), y.astype(np.int32), begins)
            done, begins = done + width, False
