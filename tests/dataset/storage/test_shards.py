import hashlib
import zlib

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataset.block_contents import pack, read, write
from textgen.dataset.storage import shards
from textgen.dataset.storage.shards import Block, Blocks, ShardWriter


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
        blocks=Blocks([Block(bytes=35, records=2, pairs=3, crc32=zlib.crc32(framed))]),
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
    assert all(block.pairs >= block_pairs for block in list(shard.blocks)[:-1])
    # A block ends with the record that fills it, however the records came.
    left = iter(pairs for _, pairs in records)
    for block in shard.blocks:
        counts = [next(left) for _ in range(block.records)]
        assert sum(counts) == block.pairs
        assert sum(counts[:-1]) < block_pairs


def test_nothing_written_is_nothing_kept(path):
    writer = ShardWriter(path)
    writer.write(pack([]))
    assert writer.close(name="a", split="train", unit=0).blocks == Blocks()


def test_the_same_records_give_the_same_bytes(tmp_path):
    records = [(b"abc", 1), (b"d" * 100, 1)]
    one, two = (write(tmp_path / name, records) for name in ("one", "two"))
    assert one.sha256 == two.sha256
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_shard_without_records_has_no_blocks(path):
    shard = write(path, [])
    assert (shard.records, shard.pairs, shard.bytes, shard.blocks) == (0, 0, 0, Blocks())
