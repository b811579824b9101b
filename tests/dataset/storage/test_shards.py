import hashlib
import re
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset.storage import shards
from textgen.dataset.storage.records import Records
from textgen.dataset.storage.shards import Block, BlockLocation, ShardWriter, locate_blocks, read_blocks, record_edges
from textgen.errors import UserError
from textgen.folder import Folder

REMEDY = r".*`textgen verify` lists what is damaged, and `textgen repair` makes it again\."


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
    (data,) = read_blocks(Folder(path.parent), [BlockLocation(path.name, 7, offset, block)])
    starts, ends = record_edges(data)
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def read(path, shard):
    return [record for found in locate_blocks([shard]) for record in read_block(path, found.offset, found.block)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train-000007.tfrecord"


def test_the_bytes_of_a_shard(path):
    shard = write(path, [(b"abc", 1), (b"", 2)])
    # A line a record: its length, the length's CRC, the record, the record's CRC.
    framed = bytes.fromhex(
        "0300000000000000 b099490e 616263 6e57f121"
        "0000000000000000 29039807 d8ea82a2"
    )  # fmt: skip
    assert path.read_bytes() == framed
    assert shard == shards.Shard(
        name="train-000007.tfrecord",
        split="train",
        unit=7,
        records=2,
        pairs=3,
        bytes=35,
        sha256="5f02f0b23f01d9bcd985c2dc9b3ff5dd67ca5f87a39131283fe5e56adf3d1844",
        blocks=(Block(bytes=35, records=2, pairs=3, crc32=zlib.crc32(framed)),),
    )


def test_any_reader_of_tfrecords_reads_a_shard(path):
    write(path, [(b"abc", 1), (b"", 1), (b"\0" * 300, 1)])
    assert list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()) == [b"abc", b"", b"\0" * 300]


def test_blocks_end_with_the_record_that_fills_them(path):
    shard = write(path, [(b"a", 1), (b"b", 3), (b"c", 9), (b"d", 2), (b"e", 1)], block_pairs=4)
    assert [(block.records, block.pairs) for block in shard.blocks] == [(2, 4), (1, 9), (2, 3)]
    assert shard.pairs == 16
    assert shard.bytes == sum(block.bytes for block in shard.blocks) == path.stat().st_size
    assert read(path, shard) == [b"a", b"b", b"c", b"d", b"e"]


@given(
    st.lists(st.tuples(st.binary(max_size=40), st.integers(1, 5)), max_size=20),
    st.integers(1, 12),
    st.integers(1, 20),
)
@settings(max_examples=60, deadline=None)
def test_blocks_read_back_what_was_written(tmp_path_factory, records, block_pairs, at_once):
    path = tmp_path_factory.mktemp("shard") / "s"
    shard = write(path, records, at_once, block_pairs)
    assert read(path, shard) == [record for record, _ in records]
    assert shard.records == len(records)
    assert shard.pairs == sum(pairs for _, pairs in records)
    assert shard.bytes == path.stat().st_size
    assert shard.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert all(block.pairs >= block_pairs for block in shard.blocks[:-1])
    # A block ends with the record that fills it, however the records came.
    left = iter(pairs for _, pairs in records)
    for block in shard.blocks:
        counts = [next(left) for _ in range(block.records)]
        assert sum(counts) == block.pairs
        assert sum(counts[:-1]) < block_pairs


def test_nothing_written_is_nothing_kept(path):
    writer = ShardWriter(path)
    writer.write(pack([]))
    assert writer.close(name="a", split="train", unit=0).blocks == ()


def test_the_same_records_give_the_same_bytes(tmp_path):
    records = [(b"abc", 1), (b"d" * 100, 1)]
    one, two = (write(tmp_path / name, records) for name in ("one", "two"))
    assert one.sha256 == two.sha256
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_shard_without_records_has_no_blocks(path):
    shard = write(path, [])
    assert (shard.records, shard.pairs, shard.bytes, shard.blocks) == (0, 0, 0, ())


def test_a_flipped_byte_anywhere_is_an_error_that_names_the_file(path):
    shard = write(path, [(b"abcdef", 1)])
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(
            UserError, match=re.escape(f"{path} (unit 7) differs from the manifest after byte 0.") + REMEDY
        ):
            read_block(path, 0, shard.blocks[0])


def test_a_truncated_file_is_an_error_that_names_it_also_at_the_end_of_a_record(path):
    shard = write(path, [(b"abc", 1), (b"def", 1), (b"ghi", 1)], block_pairs=2)
    content = path.read_bytes()
    offset = shard.blocks[0].bytes
    for size in (len(content) - 1, offset, offset - 19, 0):
        path.write_bytes(content[:size])
        block = 0 if size < offset else 1
        message = re.escape(f"{path} (unit 7) differs from the manifest after byte {offset * block}.") + REMEDY
        with pytest.raises(UserError, match=message):
            read_block(path, offset * block, shard.blocks[block])


def test_damage_in_one_block_leaves_the_others_readable(path):
    shard = write(path, [(b"abc", 1), (b"def", 1)], block_pairs=1)
    path.write_bytes(path.read_bytes()[:-1])
    assert read_block(path, 0, shard.blocks[0]) == [b"abc"]


def test_a_missing_file_is_an_error_that_names_it(path):
    shard = write(path, [(b"abc", 1)])
    path.unlink()
    with pytest.raises(UserError, match=re.escape(f"{path} cannot be read: No such file or directory.") + REMEDY):
        read_block(path, 0, shard.blocks[0])
