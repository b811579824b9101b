import numpy as np
import pytest
import tensorflow as tf

from textgen.text.filters.cleaned_texts import CleanedTexts
from textgen.text.filters.too_repetitive import TooRepetitive

FILTER = TooRepetitive()
DIFFERENT = " ".join(f"word{i}" for i in range(100))


def measured(*texts):
    cleaned = tf.constant(texts)
    documents = CleanedTexts(cleaned, tf.strings.length(cleaned, "UTF8_CHAR"), tf.zeros([len(texts)], tf.int64))
    return FILTER.measure(documents).numpy()


def test_the_columns_are_words_lines_paragraphs_and_n_grams():
    statistics = measured("a b\na b\n\nc é\n\na b\na b", "")
    assert statistics.dtype == np.float64 and statistics.shape == (2, FILTER.width)
    words, lines, paragraphs, n_grams = [10, 10], [5, 15, 3, 9], [3, 17, 1, 7], [8, 6, 8, 0, 0, 0, 0, 0, 0]
    assert statistics.tolist() == [[*words, *lines, *paragraphs, *n_grams], [0] * FILTER.width]


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [
        *[(4, 2, 30), (5, 3, 20), (8, 6, 30), (9, 7, 20)],
        *zip(range(10, 19), [1] * 9, [20, 18, 16, 15, 14, 13, 12, 11, 10], strict=True),
    ],
)
def test_each_fraction_has_its_limit(part, whole, percent):
    statistics = np.zeros([3, FILTER.width])
    statistics[:, 0] = [50, 50, 49]
    statistics[:, whole] = 1000
    statistics[:, part] = [percent * 10, percent * 10 + 1, 1000]
    assert FILTER.drops(statistics).tolist() == [False, True, False]


def test_repetitions_across_chunks_are_not_found():
    assert FILTER.drops(measured(f"{DIFFERENT} {DIFFERENT}")).tolist() == [True]
    assert FILTER.drops(measured(DIFFERENT, DIFFERENT).sum(axis=0, keepdims=True)).tolist() == [False]


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        (DIFFERENT, False),
        (DIFFERENT + " " + DIFFERENT, True),
        ("the same words " * 20, True),
        ("the same words " * 16, False),
        ("\n".join(f"line {i} of a long list of lines" for i in range(30)), True),
        ("", False),
    ],
)
def test_a_repetitive_document_of_at_least_fifty_words_is_dropped(text, dropped):
    assert FILTER.drops(measured(text)).tolist() == [dropped]
