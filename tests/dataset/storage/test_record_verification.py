import dataclasses
import re
import zlib

import pytest

from tests.dataset.block_contents import reseal, shard_blocks
from textgen.dataset import verify
from textgen.dataset.storage.manifest import FILE_NAME, DamageError, read_manifest
from textgen.dataset.storage.shards import Blocks

SHARD = "train-000000.tfrecord"
DOCUMENTS = [[4, 300, 5], [], [900] * 30, [7, 8]]
LAYOUT_NAMES = ["pairs", "spans"]


@pytest.fixture(params=LAYOUT_NAMES)
def folder(request, build_dataset, tmp_path):
    return build_dataset(tmp_path / "data", [{"train": DOCUMENTS, "test": [[4]]}], layout=request.param)


def told(folder):
    return [str(problem) for problem in verify(folder)]


def recount(folder, **changes):
    """Changes the counts of the training split, those that must agree with them, and seals the manifest."""
    manifest = read_manifest(folder)
    unit = manifest.units[0]
    counts = unit.splits["train"]
    unit.documents += changes.get("documents", 0)
    unit.kept += changes.get("documents", 0)
    for name, change in changes.items():
        setattr(counts, name, getattr(counts, name) + change)
    (folder / FILE_NAME).write_bytes(manifest.to_bytes())


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
@pytest.mark.parametrize("window", [1, 3, 300])
@pytest.mark.parametrize("stride", [1, 2, 5, 40])
def test_nothing_is_wrong_with_a_shard_that_was_written(build_dataset, tmp_path, layout, window, stride):
    folder = build_dataset(
        tmp_path / "data", [{"train": DOCUMENTS}, {"train": [[5] * 700]}], layout=layout, window=window, stride=stride
    )
    assert told(folder) == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"documents": 1, "tokens": -1}, "it has 35 tokens; the manifest has 34"),
        ({"documents": -1, "tokens": 1}, "it has 4 documents; the manifest has 3"),
    ],
)
def test_counts_that_are_not_those_of_the_records_are_reported(folder, changes, what):
    recount(folder, **changes)
    assert told(folder) == [f"{SHARD} (unit 0): written wrong: {what}"]


@pytest.mark.parametrize("changes", [{"documents": 1, "tokens": 2}, {"documents": -1}, {"tokens": 1}, {"tokens": -1}])
def test_counts_that_contradict_the_pairs_are_refused(folder, changes):
    recount(folder, **changes)
    with pytest.raises(DamageError, match=r"the train pairs of unit 0 are 39; by the other numbers they must be"):
        verify(folder)


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_a_document_that_is_too_short_for_a_pair_is_in_no_record(build_dataset, tmp_path, layout):
    documents = [[4, 300, 5], [6], [900] * 30, [7], [7, 8]]
    folder = build_dataset(tmp_path / "data", [{"train": documents}], layout=layout, boundaries=False)
    assert read_manifest(folder).total.splits["train"].pairs == sum(len(document) - 1 for document in documents)
    assert told(folder) == []


def test_an_id_that_is_not_in_the_vocabulary_is_reported(folder):
    # 300 as a varint and as uint16, and 1,000.
    old, new = {"pairs": (b"\xac\x02", b"\xe8\x07"), "spans": (b"\x2c\x01", b"\xe8\x03")}[
        read_manifest(folder).config.layout
    ]
    blocks = [block.replace(old, new) for block in shard_blocks(folder, SHARD)]
    reseal(folder, SHARD, blocks)
    (line,) = told(folder)
    assert re.search(
        r"written wrong after byte 0: a token id is 1,000; ids must be below .* vocabulary, 1,000$", line
    )


def test_a_crc_of_a_record_that_is_wrong_is_reported(folder):
    blocks = shard_blocks(folder, SHARD)
    for place in (8, len(blocks[1]) - 1):
        changed = bytearray(blocks[1])
        changed[place] ^= 1
        reseal(folder, SHARD, [blocks[0], bytes(changed), *blocks[2:]])
        offset = len(blocks[0])
        what = "a record or its length has another CRC-32C than its framing says"
        assert told(folder) == [f"{SHARD} (unit 0): written wrong after byte {offset}: {what}"]


def test_a_crc_of_a_block_that_is_wrong_is_reported(folder):
    manifest = read_manifest(folder)
    shard = manifest.units[0].shards[0]
    wrong = Blocks(block._replace(crc32=zlib.crc32(b"")) for block in shard.blocks)
    manifest.units[0].shards[0] = dataclasses.replace(shard, blocks=wrong)
    (folder / FILE_NAME).write_bytes(manifest.to_bytes())
    assert told(folder) == [f"{SHARD} (unit 0): written wrong after byte 0: its CRC-32 is not that of the manifest"]
