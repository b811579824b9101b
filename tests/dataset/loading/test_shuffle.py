import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset.loading.shuffle import batch_order, blocks_per_group, epoch_order, group_order
from textgen.dataset.loading.tuning import DEFAULT_TUNING

GROUP_BYTES = DEFAULT_TUNING.group_bytes

block_pairs = st.lists(st.integers(1, 30), min_size=1, max_size=70).map(np.array)
seeds = st.one_of(st.none(), st.integers(0, 2**70))


def ordered(pairs, *, group_blocks=16, seed, epoch=0):
    return epoch_order(np.array(pairs), group_blocks=group_blocks, seed=seed, epoch=epoch)


def groups_of(made):
    return [made.group(index).tolist() for index in range(len(made.ends))]


def test_the_order_of_a_seed_is_pinned():
    # A run that is resumed after a change of order would see some pairs twice and others never.
    made = ordered(range(1, 21), seed=7)
    assert groups_of(made) == [
        [19, 17, 3, 0, 8, 18, 6, 12, 11, 5, 13, 15, 4, 10, 16, 14],
        [7, 9, 2, 1],
    ]
    assert made.ends.tolist() == [187, 210]
    assert group_order(10, seed=7, epoch=0, group=0).tolist() == [5, 9, 3, 0, 6, 7, 2, 8, 4, 1]
    assert group_order(10, seed=7, epoch=0, group=1).tolist() == [6, 8, 7, 1, 4, 3, 9, 2, 5, 0]


@given(block_pairs, seeds, st.integers(0, 1000))
@settings(max_examples=80, deadline=None)
def test_every_block_is_in_one_group(pairs, seed, epoch):
    made = ordered(pairs, seed=seed, epoch=epoch)
    assert sorted(sum(groups_of(made), [])) == list(range(len(pairs)))
    assert all(0 < len(group) <= 16 for group in groups_of(made))


@given(block_pairs, seeds)
@settings(max_examples=60, deadline=None)
def test_a_group_ends_where_the_pairs_of_its_blocks_do(pairs, seed):
    made = ordered(pairs, seed=seed)
    served = 0
    for group, end in zip(groups_of(made), made.ends, strict=True):
        served += sum(pairs[block] for block in group)
        assert end == served
    assert served == pairs.sum()


@given(st.integers(0, 200), seeds, st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_the_order_of_a_group_is_a_permutation(pairs, seed, epoch, group):
    assert sorted(group_order(pairs, seed=seed, epoch=epoch, group=group)) == list(range(pairs))


def test_without_a_seed_the_order_is_that_of_the_corpus():
    made = ordered([5, 1, 2, 7], group_blocks=3, seed=None, epoch=3)
    assert groups_of(made) == [[0, 1, 2], [3]]
    assert made.ends.tolist() == [8, 15]
    assert group_order(4, seed=None, epoch=3, group=1).tolist() == [0, 1, 2, 3]


def test_the_same_seed_and_epoch_give_the_same_order():
    pairs = np.ones(40, int)
    assert ordered(pairs, seed=1, epoch=2).blocks.tolist() == ordered(pairs, seed=1, epoch=2).blocks.tolist()
    assert group_order(40, seed=1, epoch=2, group=3).tolist() == group_order(40, seed=1, epoch=2, group=3).tolist()


def test_every_seed_and_epoch_has_another_permutation_of_blocks():
    orders = {
        tuple(ordered(np.ones(40, int), seed=seed, epoch=epoch).blocks.tolist())
        for seed in (0, 1, 2, 2**31)
        for epoch in range(5)
    }
    assert len(orders) == 20


@pytest.mark.parametrize("seed", [2**32, 2**64])
def test_a_seed_of_more_than_32_bits_is_not_a_later_epoch_of_a_shorter_one(seed):
    pairs = np.ones(40, int)
    shorter = [ordered(pairs, seed=0, epoch=epoch).blocks.tolist() for epoch in range(3)]
    assert ordered(pairs, seed=seed, epoch=0).blocks.tolist() not in shorter


def test_every_seed_epoch_and_group_has_another_permutation_of_pairs():
    orders = {
        tuple(group_order(40, seed=seed, epoch=epoch, group=group))
        for seed in (0, 1, 2)
        for epoch in range(4)
        for group in range(4)
    }
    assert len(orders) == 48


def test_the_global_random_state_has_no_say():
    np.random.seed(0)
    one = group_order(40, seed=1, epoch=0, group=0).tolist()
    np.random.seed(1)
    before = np.random.get_state()[1].tolist()
    assert group_order(40, seed=1, epoch=0, group=0).tolist() == one
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("places", [range(30), range(30, 60)])
def test_first_places_come_from_all_over(places):
    served = group_order(60, seed=3, epoch=0, group=0)[:30]
    assert 8 <= sum(place in places for place in served) <= 22


@pytest.mark.parametrize(
    ("block_bytes", "blocks"), [(1, 64), (DEFAULT_TUNING.group_bytes // 10, 10), (2 * DEFAULT_TUNING.group_bytes, 1)]
)
def test_a_group_has_fewer_blocks_where_they_are_large(block_bytes, blocks):
    assert blocks_per_group(np.array([block_bytes, block_bytes])) == blocks


def test_a_batch_has_the_given_number_of_pairs_of_each_source_in_mixed_order():
    counts = np.array([30, 0, 10])
    one, two = batch_order(counts, seed=1, step=5), batch_order(counts, seed=1, step=6)
    assert np.bincount(one).tolist() == np.bincount(two).tolist() == [30, 0, 10]
    assert one.tolist() != two.tolist() != sorted(two)
    assert batch_order(counts, seed=1, step=5).tolist() == one.tolist()
    assert batch_order(counts, seed=None, step=5).tolist() == [0] * 30 + [2] * 10
