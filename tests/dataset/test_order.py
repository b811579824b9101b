import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset import order
from textgen.dataset.order import epoch_order, group_order

block_pairs = st.lists(st.integers(1, 30), min_size=1, max_size=70).map(np.array)
seeds = st.one_of(st.none(), st.integers(0, 2**70))


def blocks_of(made):
    return np.concatenate(made.groups).tolist()


def test_the_order_of_a_seed_is_pinned():
    # A run that is resumed after a change of order would see some pairs twice and others never.
    made = epoch_order(np.arange(1, 21), seed=7, epoch=0)
    assert [group.tolist() for group in made.groups] == [
        [19, 17, 3, 0, 8, 18, 6, 12, 11, 5, 13, 15, 4, 10, 16, 14],
        [7, 9, 2, 1],
    ]
    assert made.ends.tolist() == [187, 210]
    assert group_order(10, seed=7, epoch=0, group=0).tolist() == [5, 6, 3, 2, 4, 1, 7, 9, 0, 8]
    assert group_order(10, seed=7, epoch=0, group=1).tolist() == [4, 3, 8, 6, 0, 9, 5, 7, 1, 2]


@given(block_pairs, seeds, st.integers(0, 1000))
@settings(max_examples=80, deadline=None)
def test_every_block_is_in_one_group(pairs, seed, epoch):
    made = epoch_order(pairs, seed=seed, epoch=epoch)
    assert sorted(blocks_of(made)) == list(range(len(pairs)))
    assert all(0 < len(group) <= order.GROUP_BLOCKS for group in made.groups)


@given(block_pairs, seeds)
@settings(max_examples=60, deadline=None)
def test_a_group_ends_where_the_pairs_of_its_blocks_do(pairs, seed):
    made = epoch_order(pairs, seed=seed, epoch=0)
    served = 0
    for group, end in zip(made.groups, made.ends, strict=True):
        served += sum(pairs[block] for block in group)
        assert end == served
    assert served == pairs.sum()


@given(st.integers(0, 200), seeds, st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_the_order_of_a_group_is_a_permutation(pairs, seed, epoch, group):
    assert sorted(group_order(pairs, seed=seed, epoch=epoch, group=group)) == list(range(pairs))


def test_without_a_seed_the_order_is_that_of_the_corpus(monkeypatch):
    monkeypatch.setattr(order, "GROUP_BLOCKS", 3)
    made = epoch_order(np.array([5, 1, 2, 7]), seed=None, epoch=3)
    assert [group.tolist() for group in made.groups] == [[0, 1, 2], [3]]
    assert made.ends.tolist() == [8, 15]
    assert group_order(4, seed=None, epoch=3, group=1).tolist() == [0, 1, 2, 3]


def test_the_same_seed_and_epoch_give_the_same_order():
    pairs = np.ones(40, int)
    assert blocks_of(epoch_order(pairs, seed=1, epoch=2)) == blocks_of(epoch_order(pairs, seed=1, epoch=2))
    assert group_order(40, seed=1, epoch=2, group=3).tolist() == group_order(40, seed=1, epoch=2, group=3).tolist()


def test_every_seed_and_epoch_permutes_the_blocks_anew():
    orders = {
        tuple(blocks_of(epoch_order(np.ones(40, int), seed=seed, epoch=epoch)))
        for seed in (0, 1, 2, 2**31)
        for epoch in range(5)
    }
    assert len(orders) == 20


@pytest.mark.parametrize("seed", [2**32, 2**64])
def test_a_seed_of_more_than_32_bits_is_not_a_later_epoch_of_a_shorter_one(seed):
    pairs = np.ones(40, int)
    shorter = [blocks_of(epoch_order(pairs, seed=0, epoch=epoch)) for epoch in range(3)]
    assert blocks_of(epoch_order(pairs, seed=seed, epoch=0)) not in shorter


def test_every_seed_epoch_and_group_permutes_the_pairs_anew():
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
