"""Shards and blocks, made from records in memory and read back."""

import zlib

import numpy as np

from textgen.dataset.storage import shards
from textgen.dataset.storage.blocks import BlockContent, BlockLocation, locate_blocks, read_blocks, record_edges
from textgen.dataset.storage.records import Records
from textgen.dataset.storage.shards import Block, ShardWriter
from textgen.folder import Folder


def as_content(data, *, records, pairs=None, offset=0):
    """The bytes of a block, with the checksum that the manifest of a stranger would have."""
    block = Block(len(data), records, records if pairs is None else pairs, zlib.crc32(data))
    return BlockContent(data, BlockLocation("train-000007.tfrecord", 7, offset, block), "data/train-000007.tfrecord")


def content_of(made, *, offset=0):
    """The block of `Records`."""
    data = bytes(shards.frame(made)[0])
    return as_content(data, records=len(made.ends), pairs=int(made.pairs.sum()), offset=offset)


def pack(records):
    """Records given as (bytes, pairs)."""
    data = np.frombuffer(b"".join(record for record, _ in records), np.uint8)
    ends = np.cumsum([len(record) for record, _ in records], dtype=int)
    return Records(data, ends, np.array([pairs for _, pairs in records], int))


def write(path, records, at_once=2, block_pairs=shards.BLOCK_PAIRS):
    """A shard of records, written some at a time."""
    writer = ShardWriter(path, block_pairs=block_pairs)
    for start in range(0, len(records), at_once):
        writer.write(pack(records[start : start + at_once]))
    return writer.close(name=path.name, split="train", unit=7)


def read_block(path, offset, block):
    """The records of a block of a shard."""
    (content,) = read_blocks(Folder(path.parent), [BlockLocation(path.name, 7, offset, block)])
    return [content.data[start:end] for start, end in zip(*record_edges(content), strict=True)]


def read(path, shard):
    """The records of a shard."""
    return [record for found in locate_blocks([shard]) for record in read_block(path, found.offset, found.block)]
