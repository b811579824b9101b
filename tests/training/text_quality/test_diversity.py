import math

import pytest

from textgen.training.text_quality.diversity import distinct, repetition, self_bleu


def test_distinct_is_the_share_of_distinct_ngrams():
    texts = [[5, 6, 7, 5, 6], [5, 6, 8]]
    assert distinct(texts, 1) == 4 / 8
    # 56 67 75 56 | 56 68
    assert distinct(texts, 2) == 4 / 6
    assert distinct(texts, 6) is None
    assert distinct([], 1) is None


def test_repetition_is_the_mean_over_texts_that_have_ngrams():
    assert repetition([[5, 5, 5, 5], [5, 6, 7, 8], [5]], 2) == pytest.approx((2 / 3 + 0) / 2)
    assert repetition([[5]], 2) is None


def test_self_bleu_by_hand():
    # 1-grams 3 of 4, 2-grams 2 of 3, 3-grams 1 of 2 for both; the lengths are equal.
    assert self_bleu([[1, 2, 3, 4], [1, 2, 3, 5]], 3) == pytest.approx((3 / 4 * 2 / 3 * 1 / 2) ** (1 / 3))


def test_a_repeated_ngram_matches_no_more_often_than_in_one_reference():
    # "the the the the the the the" of Papineni et al. 2002: 2 of 7, against references of 7 and 6 words.
    the, cat, mat, on, there, iz, a = range(7)
    texts = [[the] * 7, [the, cat, iz, on, the, mat], [there, iz, a, cat, on, the, mat]]
    # The second text has six tokens, all of which occur, and its references have seven.
    assert self_bleu(texts, 1) == pytest.approx((2 / 7 + math.exp(1 - 7 / 6) + 5 / 7) / 3)


def test_a_precision_of_zero_counts_as_a_tenth_of_a_match():
    # One 1-gram of two in common, no 2-gram of one.
    assert self_bleu([[1, 2], [1, 3]], 2) == pytest.approx(math.sqrt(1 / 2 * 0.1))


def test_texts_without_anything_in_common_have_none():
    assert self_bleu([[1, 2, 3], [4, 5, 6]], 2) == 0
    assert self_bleu([[1, 2, 3]], 2) is None
    assert self_bleu([[], [1]], 1) == 0


def test_equal_texts_have_all_in_common():
    assert self_bleu([[1, 2, 3, 4, 5]] * 3, 4) == pytest.approx(1)
