import tensorflow as tf

from textgen.text.cleaning.rows import contains, has_non_ascii, update_rows

TEXTS = tf.constant(["ab", "é", "", "a&b"])


def test_a_rule_changes_only_the_selected_rows():
    changed = update_rows(TEXTS, tf.constant([True, False, True, False]), lambda texts: texts + "!")
    assert changed.numpy().tolist() == [b"ab!", "é".encode(), b"!", b"a&b"]


def test_a_rule_may_get_no_rows():
    assert (
        update_rows(TEXTS, tf.zeros([4], tf.bool), lambda texts: texts + "!").numpy().tolist()
        == TEXTS.numpy().tolist()
    )


def test_non_ascii_texts_are_recognized():
    assert has_non_ascii(TEXTS).numpy().tolist() == [False, True, False, False]


def test_contains_finds_a_match_anywhere():
    assert contains(TEXTS, "&").numpy().tolist() == [False, False, False, True]
    assert contains(tf.constant([], tf.string), "&").shape == (0,)
