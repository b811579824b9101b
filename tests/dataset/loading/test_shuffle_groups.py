import threading

import pytest

from textgen.dataset.loading.shuffle_groups import GroupKey, ShuffleGroups

ONE, TWO, THREE, FOUR = (GroupKey(0, index, 0, 8) for index in range(4))


def test_the_following_group_is_loaded_meanwhile_and_three_are_kept():
    loaded, second = [], threading.Event()

    def load(key):
        loaded.append(key)
        if key == TWO:
            second.set()
        return key

    groups = ShuffleGroups(load)
    assert groups.take(ONE, TWO) == ONE
    assert second.wait(10)
    for key in (TWO, THREE, FOUR):
        assert groups.take(key, None) == key
    assert loaded == [ONE, TWO, THREE, FOUR]
    assert groups.take(ONE, None) == ONE
    assert loaded[4:] == [ONE]


def test_a_group_that_failed_is_tried_again():
    calls = []

    def load(key):
        calls.append(key)
        if len(calls) == 1:
            raise OSError("damaged")
        return key

    groups = ShuffleGroups(load)
    with pytest.raises(OSError, match="damaged"):
        groups.take(ONE, None)
    assert groups.take(ONE, None) == ONE


def test_a_released_group_is_loaded_again():
    calls = []
    groups = ShuffleGroups(lambda key: calls.append(key) or key)
    groups.take(ONE, None)
    groups.release()
    groups.take(ONE, None)
    assert calls == [ONE, ONE]
