import dataclasses

import numpy as np
import pytest

from textgen.dataset.storage.block_limits import find_block_fault
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.manifest import DamageError, parse, read_manifest
from textgen.dataset.storage.records import RecordFormat
from textgen.dataset.storage.shards import Blocks

WRITTEN = RecordFormat(window=3, stride=1, vocabulary_size=1000)


def fault(layout, *block, written=WRITTEN):
    index, what = find_block_fault(np.array([[*block, 0]], np.int64), LAYOUTS[layout].limits(written))
    assert index == 0
    return what


@pytest.mark.parametrize("layout", ["pairs", "spans"])
@pytest.mark.parametrize("stride", [1, 2, 40_000])
def test_no_block_that_is_written_has_a_fault(build_dataset, tmp_path, layout, stride):
    documents = [list(range(4, 900)), [5], [], [7] * 17_000]
    folder = build_dataset(
        tmp_path / "data", [{"train": documents}], layout=layout, stride=stride, block_pairs=16_384
    )
    manifest = read_manifest(folder)
    assert len(manifest.total.shards[0].blocks) == (2 if stride == 1 else 1)


@pytest.mark.parametrize(
    ("layout", "block", "found"),
    [
        ("pairs", (0, 0, 0), "0 pairs; there can be 1 to 16,384"),
        ("pairs", (1 << 30, 1 << 20, 1 << 20), "1,048,576 pairs; there can be 1 to 16,384"),
        ("pairs", (500, 9, 10), "9 records of 10 pairs; there can be 10 to 10"),
        ("pairs", (439, 10, 10), "439 bytes of 10 records; there can be 440 to 480"),
        ("pairs", (481, 10, 10), "481 bytes of 10 records; there can be 440 to 480"),
        ("pairs", (1 << 40, 10, 10), "1,099,511,627,776 bytes of 10 records; there can be 440 to 480"),
        ("spans", (500, 0, 10), "0 records of 10 pairs; there can be 1 to 10"),
        ("spans", (500, 11, 10), "11 records of 10 pairs; there can be 1 to 10"),
        ("spans", (500, 1, 32_768), "32,768 pairs; there can be 1 to 32,767"),
        ("spans", (21, 1, 1), "21 bytes of 1 records; there can be 22 to 33,298"),
        ("spans", (33_299, 1, 1), "33,299 bytes of 1 records; there can be 22 to 33,298"),
    ],
)  # fmt: skip
def test_a_block_that_is_not_written_so_has_a_fault(layout, block, found):
    assert fault(layout, *block) == found


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_no_settings_give_a_block_without_a_bound(layout):
    widest = RecordFormat(window=4096, stride=1_000_000, vocabulary_size=(1 << 31) - 1)
    assert "there can be" in fault(layout, 1 << 31, 16_384, 16_384, written=widest)


def test_a_large_block_is_refused_before_anything_is_read(build_dataset, tmp_path):
    folder = build_dataset(tmp_path / "data", [{"train": [[5, 6]]}])
    manifest = read_manifest(folder)
    (report,) = manifest.units
    (shard,) = report.shards
    large = Blocks([shard.blocks[0]._replace(bytes=1 << 31)])
    report.shards[0] = dataclasses.replace(shard, bytes=1 << 31, blocks=large)
    with pytest.raises(DamageError, match=r"manifest\.json is damaged: block 0 of .* has 2,147,483,648 bytes of"):
        parse(manifest.to_bytes())
