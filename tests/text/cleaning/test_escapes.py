import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.cleaning.escapes import remove_escapes


def removed(text):
    return remove_escapes(tf.constant([text]))[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;1;48:2:0:0:0mx", "x"),
        ("\x1b[2K\x1b[1;1H\x1b[?25lx", "x"),
        ("\x1b[0 qx", "x"),
        ("\x1b]0;my title\x07x", "x"),
        ("\x1b]8;;http://a.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bx\x1b)0", "x"),
        ("\x1bPq#0\n1\x1b\\x", "x"),
        ("\x1b7a\x1b8\x1b=", "a"),
        ("\x1b\x1b[31m[0mx", "[0mx"),
    ],
)
def test_escape_sequences_are_removed(text, expected):
    assert removed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b b", "a b"),
        ("a\x1b", "a"),
        ("a\x1b[1;3", "a"),
        ("\x1b]no end, and more", "no end, and more"),
        ("\x1b]no end\nx\x07", "no end\nx\x07"),
        ("[31m and ]0;x", "[31m and ]0;x"),
        ("Windows \x9b31m\x9d", "Windows \x9b31m\x9d"),
    ],
)
def test_text_around_an_unfinished_sequence_remains(text, expected):
    assert removed(text) == expected


@given(st.lists(st.text(st.sampled_from("\x1b[]()P\\\x07;0mH é\n"), max_size=12), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_no_escape_remains_and_each_text_is_cleaned_by_itself(texts):
    together = [text.decode() for text in remove_escapes(tf.constant(texts)).numpy()]
    assert together == [removed(text) for text in texts]
    assert not any("\x1b" in text for text in together)
