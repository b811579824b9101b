import tensorflow as tf

from textgen.text.filters.passages import count_repeated, lines, paragraphs


def test_lines_are_split_at_line_ends_without_empty_ones():
    assert lines(tf.constant(["a b\n\n c \n \n", "", "d"])).to_list() == [[b"a b", b"c"], [], [b"d"]]


def test_paragraphs_are_split_at_empty_lines():
    text = "a\nb\n\nc\n \t\nd\n\n\n\ne\n"
    assert paragraphs(tf.constant([text, "", "f"])).to_list() == [[b"a\nb", b"c", b"d", b"e"], [], [b"f"]]


def test_repeated_passages_and_their_characters_are_counted():
    texts = tf.constant(["é1\nbb\né1\né1\nc", "", "bb"])
    assert count_repeated(lines(texts)).numpy().tolist() == [[5, 9, 2, 4], [0, 0, 0, 0], [1, 2, 0, 0]]


def test_a_passage_of_another_document_is_not_a_repetition():
    assert count_repeated(lines(tf.constant(["a", "a"]))).numpy().tolist() == [[1, 1, 0, 0]] * 2
