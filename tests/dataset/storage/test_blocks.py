import re
import struct

import numpy as np
import pytest

from tests.dataset.block_contents import as_content, pack, read_block, write
from textgen.dataset.storage import framing
from textgen.dataset.storage.blocks import BlockLocation, locate_blocks, record_edges
from textgen.dataset.storage.shards import Block, Blocks, Shard
from textgen.errors import UserError

REMEDY = r".*`textgen verify` lists what is damaged, and `textgen repair` makes it again\."


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train-000007.tfrecord"


def shard_of(unit, *blocks):
    total = Blocks(blocks).total
    return Shard(
        name=f"train-{unit:06d}.tfrecord", split="train", unit=unit, records=total.records, pairs=total.pairs,
        bytes=total.bytes, sha256="", blocks=Blocks(blocks),
    )  # fmt: skip


def test_blocks_are_located_one_after_another_in_each_shard():
    # Offsets of more than 32 bits, and a checksum that is no signed number.
    first, second, third = (
        Block((1 << 31) - 1, 2, 3, (1 << 32) - 1),
        Block((1 << 31) - 1, 1, 9, 0),
        Block(30, 3, 5, 7),
    )
    found = locate_blocks([shard_of(4, first, second, third), shard_of(5), shard_of(9, third, first)])
    expected = [
        BlockLocation("train-000004.tfrecord", 4, 0, first),
        BlockLocation("train-000004.tfrecord", 4, (1 << 31) - 1, second),
        BlockLocation("train-000004.tfrecord", 4, (1 << 32) - 2, third),
        BlockLocation("train-000009.tfrecord", 9, 0, third),
        BlockLocation("train-000009.tfrecord", 9, 30, first),
    ]
    assert list(found) == expected
    assert [found[i] for i in range(len(found))] == expected
    assert found.bytes.tolist() == [location.block.bytes for location in expected]
    assert found.pairs.tolist() == [3, 9, 5, 5, 3]
    assert list(found.take(np.array([4, 1]))) == [expected[4], expected[1]]
    assert list(locate_blocks([])) == []


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


RECORDS = [b"abc", b"", b"d" * 300]
both_ways = pytest.mark.parametrize("compiled", [False, True])
FRAMED = bytes(framing.frame(pack([(record, 1) for record in RECORDS]))[0])


@both_ways
def test_the_records_of_a_block_are_found(compiled):
    starts, ends = record_edges(as_content(FRAMED, records=3), compiled=compiled)
    assert [FRAMED[start:end] for start, end in zip(starts, ends, strict=True)] == RECORDS


@pytest.mark.parametrize("length", [2, 4, 5, 100, 1 << 31, (1 << 63) - 1, 1 << 63, (1 << 64) - 16, (1 << 64) - 1])
@pytest.mark.parametrize("record", [0, 1, 2])
@both_ways
def test_a_wrong_length_of_a_record_is_an_error(length, record, compiled):
    place = [0, 19, 35][record]
    wrong = FRAMED[:place] + struct.pack("<Q", length) + FRAMED[place + 8 :]
    with pytest.raises(UserError, match=r"^data/train-000007\.tfrecord \(unit 7\) was written wrong after byte 0: "):
        record_edges(as_content(wrong, records=3), compiled=compiled)


@pytest.mark.parametrize("size", [1, 4, 15, 17, 18, 20, 34, len(FRAMED) - 1])
@both_ways
def test_records_that_do_not_fill_their_block_are_an_error(size, compiled):
    with pytest.raises(UserError, match=r"its records end at .* they must fill the block\. Prepare"):
        record_edges(as_content(FRAMED[:size], records=3), compiled=compiled)


@both_ways
def test_another_number_of_records_is_an_error(compiled):
    with pytest.raises(UserError, match=r"it has 3 records; the manifest has 4\."):
        record_edges(as_content(FRAMED, records=4), compiled=compiled)
