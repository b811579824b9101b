import tensorflow as tf

from textgen.text.cleaning.rows import contains, has_non_ascii, update_rows

TEXTS = tf.constant(["ab", "é", "", "a&b"])


def test_a_rule_changes_only_the_rows_that_it_is_given():
    changed = update_rows(TEXTS, tf.constant([True, False, True, False]), lambda texts: texts + "!")
    assert changed.numpy().tolist() == [b"ab!", "é".encode(), b"!", b"a&b"]


def test_a_rule_may_be_given_no_row():
    assert (
        update_rows(TEXTS, tf.zeros([4], tf.bool), lambda texts: texts + "!").numpy().tolist()
        == TEXTS.numpy().tolist()
    )


def test_a_text_with_a_character_of_more_than_a_byte_is_beyond_ascii():
    assert has_non_ascii(TEXTS).numpy().tolist() == [False, True, False, False]


def test_a_text_holds_a_pattern_that_matches_anywhere_in_it():
    assert contains(TEXTS, "&").numpy().tolist() == [False, False, False, True]
    assert contains(tf.constant([], tf.string), "&").shape == (0,)
