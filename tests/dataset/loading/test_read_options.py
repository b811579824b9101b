import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset.loading.read_options import LoadOptions, ResolvedOptions, resolve, select_blocks, served_indices
from textgen.dataset.storage.blocks import locate_blocks
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.records import ReadRequest, RecordFormat
from textgen.dataset.storage.shards import Block, Blocks, Shard
from textgen.errors import UserError

counts = st.lists(st.integers(0, 20), min_size=1, max_size=30).filter(any)


def locations(targets):
    """Locations of blocks of one byte each, so that offsets are indices."""
    blocks = Blocks(Block(1, 1, pairs, 0) for pairs in targets)
    total = blocks.total
    shard = Shard(
        name="a", split="train", unit=0, records=total.records, pairs=total.pairs, bytes=total.bytes, sha256="",
        blocks=blocks,
    )  # fmt: skip
    return locate_blocks([shard])


def chosen(targets, *, step=1, fraction=1.0):
    """The numbers of the targets that are served, among those of all blocks."""
    blocks = select_blocks(locations(targets), np.array(targets), step=step, fraction=fraction)
    before = np.cumsum(targets) - targets
    return [
        int(before[location.offset]) + first + step * i
        for location, first, pairs in zip(
            blocks.locations, blocks.firsts.tolist(), blocks.pairs.tolist(), strict=True
        )
        for i in range(pairs)
    ]


@given(counts, st.integers(1, 25))
@settings(max_examples=100, deadline=None)
def test_every_so_manieth_target_is_counted_on_from_block_to_block(targets, step):
    assert chosen(targets, step=step) == list(range(0, sum(targets), step))


@given(counts, st.integers(1, 4), st.floats(0.01, 1), st.floats(0.01, 1))
@settings(max_examples=100, deadline=None)
def test_a_fraction_has_the_given_size_and_is_part_of_a_larger_one(targets, step, one, two):
    smaller, larger = (set(chosen(targets, step=step, fraction=fraction)) for fraction in sorted((one, two)))
    whole = chosen(targets, step=step)
    assert smaller <= larger <= set(whole)
    assert 0 <= len(larger) - max(one, two) * len(whole) < 1


def test_a_share_is_of_blocks_from_all_over():
    found = chosen([10] * 100, fraction=0.2)
    assert len(found) == 200
    assert sum(number < 500 for number in found) in range(50, 151)


def test_a_block_of_which_nothing_is_served_is_left_out():
    blocks = select_blocks(locations([1, 1, 1, 1]), np.array([1, 1, 1, 1]), step=2, fraction=1.0)
    assert [location.offset for location in blocks.locations] == [0, 2]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_window_and_stride_of_the_dataset_can_always_be_read(layout):
    written = RecordFormat(300, 2, 1000)
    expected = ResolvedOptions(ReadRequest(300, 2), 1, 1.0)
    assert resolve(LoadOptions(), layout, written) == expected
    assert resolve(LoadOptions(window=300, stride=2), layout, written) == expected


def test_a_stride_that_the_shards_do_not_hold_is_an_error():
    with pytest.raises(UserError, match=r"stride is 3; it must be a multiple of 2, the stride of the shards\."):
        resolve(LoadOptions(stride=3), LAYOUTS["spans"], RecordFormat(44, 2, 1000))


def test_served_indices_count_over_the_blocks_of_a_group():
    blocks = select_blocks(locations([5, 5, 5]), np.array([5, 5, 5]), step=2, fraction=1.0)
    # Of the split the targets 0, 2, 4 | 6, 8 | 10, 12, 14; the group has its third block first.
    assert served_indices(blocks, np.array([2, 0]), step=2).tolist() == [0, 2, 4, 5, 7, 9]


def test_a_block_follows_where_no_share_before_it_is_missing():
    targets = [10] * 20
    assert (
        select_blocks(locations(targets), np.array(targets), step=1, fraction=1.0).contiguous.tolist()
        == [False] + [True] * 19
    )
    blocks = select_blocks(locations(targets), np.array(targets), step=1, fraction=0.5)
    assert blocks.pairs.tolist() == [10] * 10
    numbers = [location.offset for location in blocks.locations]
    assert blocks.contiguous.tolist() == [number - 1 in numbers for number in numbers]
    cut = select_blocks(locations([10, 10]), np.array([10, 10]), step=1, fraction=0.95)
    assert sorted(cut.pairs.tolist()) == [9, 10]
    assert cut.contiguous.tolist() == [False, bool(cut.pairs[0] == 10)]


def test_rows_may_be_longer_than_the_context_of_a_span():
    resolved = resolve(LoadOptions(1000, rows=True), LAYOUTS["spans"], RecordFormat(44, 1, 1000))
    assert resolved == ResolvedOptions(ReadRequest(1000, 1, 1, True), 1, 1.0)
