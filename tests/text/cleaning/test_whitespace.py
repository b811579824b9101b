import unicodedata

import pytest
import tensorflow as tf

from textgen.text.cleaning.whitespace import collapse, collapse_within_lines, keep_lines


def collapsed(text, *continued):
    return collapse(tf.constant([text]), tf.constant(continued) if continued else None)[0].numpy().decode()


def kept(text):
    return keep_lines(tf.constant([text]))[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \n\t", ""),
        ("  a  b ", "a b"),
        ("a\n\nb\tc\r\nd\re", "a b c d e"),
        ("a\u2028b\u2029c", "a b c"),
        ("\ufeffa\ufeffb", "a b"),
        ("a\x85b", "a b"),
        ("a\x00b\x1bc\x7fd", "a b c d"),
        ("a \x96 b", "a b"),
        ("a\u00a0b\u1680c\u2003d\u202fe\u205ff\u3000g", "a b c d e f g"),
        ("a \u00a0\u3000 b", "a b"),
        ("a\x0b\x0cb", "a b"),
    ],
)
def test_collapsing_makes_every_run_of_white_space_and_controls_one_space(text, expected):
    assert collapsed(text) == expected
    assert collapsed(text, False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("  a ", " a"), ("\n\u00a0a b\t", " a b"), ("a ", "a"), ("  ", ""), ("", "")],
)
def test_a_continued_chunk_keeps_the_space_before_its_first_word(text, expected):
    assert collapsed(text, True) == expected


def test_each_text_of_a_batch_is_continued_or_not():
    texts = collapse(tf.constant([" a ", " b ", " "]), tf.constant([False, True, True]))
    assert texts.numpy().tolist() == [b"a", b" b", b""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a  b \n", "  a  b \n"),
        ("a\r\nb\rc\nd\u2028e", "a\nb\nc\nd\ne"),
        ("a\r\n\r\nb", "a\n\nb"),
        ("\ta", "\ta"),
        ("a\x85b\x96c", "a b c"),
        ("a\x00b\x1bc\x7fd\x0ce", "a b c d e"),
        ("\ufeffa", " a"),
        ("a\u00a0\u3000b", "a  b"),
    ],
)
def test_keeping_white_space_makes_line_ends_alike_and_controls_a_space(text, expected):
    assert kept(text) == expected


def test_keeping_lines_leaves_no_control_character_but_newline_and_tab_and_no_other_space():
    white = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in ("Cc", "Zs", "Zl", "Zp")]
    assert {text.decode() for text in keep_lines(tf.constant(white)).numpy()} == {"\n", "\t", " "}


@pytest.mark.parametrize(
    ("text", "continued", "expected"),
    [
        (" a \t b \r\n\n c\u2028", False, "a b\n\nc\n"),
        ("\n a\x00\u3000b ", False, "\na b"),
        (" \n a", True, "\na"),
        ("  a\n", True, " a\n"),
        (" ", True, ""),
    ],
)
def test_line_ends_remain_where_they_are_tokens(text, continued, expected):
    assert collapse_within_lines(tf.constant([text]), tf.constant([continued]))[0].numpy().decode() == expected
