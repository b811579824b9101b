import tensorflow as tf

from textgen.text.filters.passages import count_repeated, lines, paragraphs


def test_lines_are_parted_by_line_ends_and_empty_ones_left_out():
    assert lines(tf.constant(["a b\n\n c \n \n", "", "d"])).to_list() == [[b"a b", b"c"], [], [b"d"]]


def test_paragraphs_are_parted_by_empty_lines():
    text = "a\nb\n\nc\n \t\nd\n\n\n\ne\n"
    assert paragraphs(tf.constant([text, "", "f"])).to_list() == [[b"a\nb", b"c", b"d", b"e"], [], [b"f"]]


def test_passages_that_the_document_has_said_before_are_counted_with_their_characters():
    texts = tf.constant(["é1\nbb\né1\né1\nc", "", "bb"])
    assert count_repeated(lines(texts)).numpy().tolist() == [[5, 9, 2, 4], [0, 0, 0, 0], [1, 2, 0, 0]]


def test_a_passage_of_another_document_is_none_of_this():
    assert count_repeated(lines(tf.constant(["a", "a"]))).numpy().tolist() == [[1, 1, 0, 0]] * 2
