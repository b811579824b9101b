import numpy as np

from textgen.text.tokenizers.merge_loops import DividedWords, TokenPairs, learn


def learned(words, counts, *, most=10, least=2):
    """The merges as pairs, and the tokens that are left of each word."""
    sizes = np.array([len(word) for word in words], np.int64)
    characters = np.frombuffer("".join(words).encode(), np.uint8).astype(np.int32)
    found = DividedWords.of_characters(characters, sizes, np.array(counts, np.int64))
    merges = np.empty(most, np.int64)
    count = learn(found, TokenPairs.with_room(len(characters)), merges, least)
    left = [part[part >= 0].tolist() for part in np.split(found.tokens, np.cumsum(sizes)[:-1])]
    return [(key >> 32, key & 0xFFFFFFFF) for key in merges[:count].tolist()], left


a, b, c = b"abc"


def test_the_most_frequent_pair_is_merged_first():
    assert learned(["abc", "bc"], [2, 1]) == ([(b, c), (a, 256)], [[257], [256]])


def test_of_equally_frequent_pairs_the_lowest_is_merged():
    assert learned(["bc", "ab"], [2, 2], most=1) == ([(a, b)], [[b, c], [256]])


def test_overlapping_pairs_are_merged_from_the_left():
    assert learned(["aaaaa"], [1], most=1) == ([(a, a)], [[256, 256, a]])
    assert learned(["aaaaa"], [3]) == ([(a, a), (256, a), (256, 257)], [[258]])


def test_pairs_do_not_span_words():
    assert learned(["a", "", "b"], [5, 5, 5]) == ([], [[a], [], [b]])


def test_learning_ends_when_no_pair_occurs_often_enough():
    assert learned(["ab", "abc"], [1, 1]) == ([(a, b)], [[256], [256, c]])
    assert learned([], []) == ([], [[]])


def test_counts_may_exceed_32_bits():
    assert learned(["ab", "bc", "bc"], [1 << 40, 1 << 39, 1 << 39], most=1)[0] == [(a, b)]
