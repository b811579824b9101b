"""Shards and blocks, made from records in memory and read back."""

import dataclasses
import hashlib
import zlib

import numpy as np

from textgen.dataset.storage import framing, shards
from textgen.dataset.storage.blocks import BlockContent, BlockLocation, locate_blocks, read_blocks, record_edges
from textgen.dataset.storage.manifest import FILE_NAME, read_manifest
from textgen.dataset.storage.records import Records
from textgen.dataset.storage.shards import Block, Blocks, ShardWriter
from textgen.folder import Folder


def as_content(data, *, records, pairs=None, offset=0):
    """The bytes of a block, with the checksum that the manifest of a stranger would have."""
    block = Block(len(data), records, records if pairs is None else pairs, zlib.crc32(data))
    return BlockContent(data, BlockLocation("train-000007.tfrecord", 7, offset, block), "data/train-000007.tfrecord")


def content_of(made, *, offset=0):
    """The block of `Records`."""
    data = bytes(framing.frame(made)[0])
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


def reseal(folder, name, blocks):
    """Replaces a shard by the bytes of its blocks, with the checksums that a stranger's manifest would have."""
    manifest = read_manifest(folder)
    (report,) = (report for report in manifest.units if name in [shard.name for shard in report.shards])
    index = [shard.name for shard in report.shards].index(name)
    shard, data = report.shards[index], b"".join(blocks)
    report.shards[index] = dataclasses.replace(
        shard,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        blocks=Blocks(
            block._replace(bytes=len(content), crc32=zlib.crc32(content))
            for block, content in zip(shard.blocks, blocks, strict=True)
        ),
    )
    (folder / name).write_bytes(data)
    (folder / FILE_NAME).write_bytes(manifest.to_bytes())


def shard_blocks(folder, name):
    """The bytes of each block of a shard."""
    (shard,) = (shard for shard in read_manifest(folder).total.shards if shard.name == name)
    ends = np.cumsum([block.bytes for block in shard.blocks])
    data = (folder / name).read_bytes()
    return [data[end - block.bytes : end] for block, end in zip(shard.blocks, ends, strict=True)]
