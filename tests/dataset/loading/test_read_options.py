import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import PrepareConfig, TextConfig
from textgen.dataset.loading.read_options import Choice, Settled, choose, settle
from textgen.dataset.storage.shards import Block, Place
from textgen.errors import UserError

counts = st.lists(st.integers(0, 20), min_size=1, max_size=30).filter(any)


def places(targets):
    return [Place("a", 0, i, Block(1, 1, pairs, 0)) for i, pairs in enumerate(targets)]


def chosen(targets, *, step=1, fraction=1.0):
    """The numbers of the targets that are served, among those of all blocks."""
    blocks = choose(places(targets), np.array(targets), step=step, fraction=fraction)
    before = np.cumsum(targets) - targets
    return [
        int(before[place.offset]) + first + step * i
        for place, first, pairs in zip(blocks.places, blocks.firsts.tolist(), blocks.pairs.tolist(), strict=True)
        for i in range(pairs)
    ]


@given(counts, st.integers(1, 25))
@settings(max_examples=100, deadline=None)
def test_every_so_manieth_target_is_counted_on_from_block_to_block(targets, step):
    assert chosen(targets, step=step) == list(range(0, sum(targets), step))


@given(counts, st.integers(1, 4), st.floats(0.01, 1), st.floats(0.01, 1))
@settings(max_examples=100, deadline=None)
def test_a_share_is_as_large_as_asked_for_and_part_of_a_larger_one(targets, step, one, two):
    smaller, larger = (set(chosen(targets, step=step, fraction=fraction)) for fraction in sorted((one, two)))
    whole = chosen(targets, step=step)
    assert smaller <= larger <= set(whole)
    assert 0 <= len(larger) - max(one, two) * len(whole) < 1


def test_a_share_is_of_blocks_from_all_over():
    found = chosen([10] * 100, fraction=0.2)
    assert len(found) == 200
    assert sum(number < 500 for number in found) in range(50, 151)


def test_a_block_of_which_nothing_is_served_is_left_out():
    blocks = choose(places([1, 1, 1, 1]), np.array([1, 1, 1, 1]), step=2, fraction=1.0)
    assert [place.offset for place in blocks.places] == [0, 2]


def test_what_a_dataset_was_made_with_can_always_be_served():
    for layout in ("pairs", "spans"):
        config = PrepareConfig(text=TextConfig(), layout=layout, window=300, stride=2)
        assert settle(Choice(), config) == settle(Choice(window=300, stride=2), config) == Settled(300, 1, 1, 1.0)


def test_a_stride_that_the_shards_do_not_hold_is_an_error():
    with pytest.raises(UserError, match=r"stride is 3; the shards hold every target number 2, so"):
        settle(Choice(stride=3), PrepareConfig(text=TextConfig(), layout="spans", stride=2))


def test_a_block_follows_where_no_share_before_it_is_missing():
    targets = [10] * 20
    assert choose(places(targets), np.array(targets), step=1, fraction=1.0).follow.tolist() == [False] + [True] * 19
    blocks = choose(places(targets), np.array(targets), step=1, fraction=0.5)
    assert blocks.pairs.tolist() == [10] * 10
    numbers = [place.offset for place in blocks.places]
    assert blocks.follow.tolist() == [number - 1 in numbers for number in numbers]
    cut = choose(places([10, 10]), np.array([10, 10]), step=1, fraction=0.95)
    assert sorted(cut.pairs.tolist()) == [9, 10]
    assert cut.follow.tolist() == [False, bool(cut.pairs[0] == 10)]


@pytest.mark.parametrize(
    ("config", "window", "message"),
    [
        ({"layout": "pairs"}, None, r"layout is pairs and the stride 1; .* --layout spans --stride 1\."),
        ({"layout": "spans", "stride": 2}, None, r"layout is spans and the stride 2; rows"),
        ({"layout": "spans"}, 0, r"window is 0; a row has from 1 to 16384 targets\."),
        ({"layout": "spans"}, 16_385, r"window is 16385; a row has"),
    ],
)
def test_rows_that_the_shards_do_not_hold_are_an_error(config, window, message):
    with pytest.raises(UserError, match=message):
        settle(Choice(window, rows=True), PrepareConfig(text=TextConfig(), **config))


def test_rows_may_be_longer_than_the_context_of_a_span():
    config = PrepareConfig(text=TextConfig(), layout="spans")
    assert settle(Choice(1000, rows=True), config) == Settled(1000, 1, 1, 1.0, True)
