from collections import Counter

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.filters.ngrams import DUPLICATE, TOP, count_repeated


def counted(*texts):
    return count_repeated(tf.strings.split(tf.constant(texts))).numpy().tolist()


def test_a_text_without_repetition_has_no_repeated_characters():
    assert counted("a b c d e f g h i j k", "") == [[0] * 9] * 2


def test_all_occurrences_of_the_most_frequent_n_gram_count():
    # "a bb" three times is 9 characters, "a bb c" twice is 8; no four words occur twice.
    assert counted("a bb c x a bb c y a bb")[0][:3] == [9, 8, 0]


def test_the_longer_of_two_equally_frequent_n_grams_counts():
    assert counted("a b . ccc d a b , ccc d")[0][0] == 8


def test_characters_and_not_bytes_are_counted():
    assert counted("é é x é é")[0][0] == 4


def test_an_n_gram_counts_where_it_has_occurred_before_and_overlaps_count_once():
    # Six words twice: two 5-grams, overlapping in four words, and one 6-gram.
    assert counted("a b c d e ff . a b c d e ff")[0][3:] == [7, 7, 0, 0, 0, 0]


def test_a_run_of_one_word_overlaps_itself():
    # Of twelve, the first place of a 5-gram is none that it has occurred at before.
    assert counted("ab " * 12)[0][3] == 22


def test_an_n_gram_does_not_span_documents():
    assert counted("a b", "a b", "c a", "b c a b") == [[0] * 9] * 4


def plain(text):
    """What `count_repeated` counts, word by word."""
    words = text.split()
    columns = []
    for n in (*TOP, *DUPLICATE):
        grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        if n in TOP:
            ranks = [(counts, len("".join(gram))) for gram, counts in Counter(grams).items() if counts > 1]
            counts, size = max(ranks, default=(0, 0))
            columns.append(counts * size)
        else:
            covered = {i + k for i, gram in enumerate(grams) if gram in grams[:i] for k in range(n)}
            columns.append(sum(len(words[i]) for i in covered))
    return columns


words = st.lists(st.sampled_from(["a", "b", "cc", "é", "the end is near the end is"]), max_size=40).map(" ".join)


@given(st.lists(words, min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_counting_agrees_with_counting_word_by_word(texts):
    assert counted(*texts) == [plain(text) for text in texts]
