import numpy as np
import pytest
import tensorflow as tf

from textgen.text.filters.cleaned_texts import Documents
from textgen.text.filters.too_repetitive import TooRepetitive

RULE = TooRepetitive()
DIFFERENT = " ".join(f"word{i}" for i in range(100))


def measured(*texts):
    cleaned = tf.constant(texts)
    documents = Documents(cleaned, tf.strings.length(cleaned, "UTF8_CHAR"), tf.zeros([len(texts)], tf.int64))
    return RULE.measure(documents).numpy()


def test_the_columns_are_words_lines_paragraphs_and_n_grams():
    sums = measured("a b\na b\n\nc é\n\na b\na b", "")
    assert sums.dtype == np.float64 and sums.shape == (2, RULE.width)
    words, lines, paragraphs, n_grams = [10, 10], [5, 15, 3, 9], [3, 17, 1, 7], [8, 6, 8, 0, 0, 0, 0, 0, 0]
    assert sums.tolist() == [[*words, *lines, *paragraphs, *n_grams], [0] * RULE.width]


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [
        *[(4, 2, 30), (5, 3, 20), (8, 6, 30), (9, 7, 20)],
        *zip(range(10, 19), [1] * 9, [20, 18, 16, 15, 14, 13, 12, 11, 10], strict=True),
    ],
)
def test_each_share_has_its_limit(part, whole, percent):
    sums = np.zeros([3, RULE.width])
    sums[:, 0] = [50, 50, 49]
    sums[:, whole] = 1000
    sums[:, part] = [percent * 10, percent * 10 + 1, 1000]
    assert RULE.refuses(sums).tolist() == [False, True, False]


def test_what_a_part_repeats_of_another_is_not_seen():
    assert RULE.refuses(measured(f"{DIFFERENT} {DIFFERENT}")).tolist() == [True]
    assert RULE.refuses(measured(DIFFERENT, DIFFERENT).sum(axis=0, keepdims=True)).tolist() == [False]


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (DIFFERENT, False),
        (DIFFERENT + " " + DIFFERENT, True),
        ("the same words " * 20, True),
        ("the same words " * 16, False),
        ("\n".join(f"line {i} of a long list of lines" for i in range(30)), True),
        ("", False),
    ],
)
def test_a_document_of_fifty_words_or_more_that_repeats_itself_is_refused(text, refused):
    assert RULE.refuses(measured(text)).tolist() == [refused]
