import tensorflow as tf

from textgen.text.filters.occurrences import occurrences


def test_equal_keys_share_an_id_and_a_count():
    found = occurrences(tf.constant(["b", "a", "b", "c", "b"]))
    assert found.ids.numpy().tolist() == [0, 1, 0, 2, 0]
    assert found.counts.numpy().tolist() == [3, 1, 3, 1, 3]
    assert found.repeated.numpy().tolist() == [False, False, True, False, True]


def test_no_keys_give_no_occurrences():
    assert occurrences(tf.constant([], tf.int64)).repeated.shape == (0,)
