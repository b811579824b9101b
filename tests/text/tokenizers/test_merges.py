import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, trainers
from tokenizers.pre_tokenizers import ByteLevel

from textgen.errors import UserError
from textgen.text.tokenizers.byte_alphabet import ALPHABET, to_characters
from textgen.text.tokenizers.merges import learn_merges, merge_pair, merges_of

counts_of_words = st.dictionaries(st.text("abĠ", min_size=1, max_size=12), st.integers(1, 9), min_size=1, max_size=30)


def pairs(tokens):
    """The merges as texts."""
    return [(tokens[left], tokens[right]) for left, right in merges_of(tokens)]


def of_hugging_face(counts, size):
    """The tokens and merges that its trainer learns from the same words."""
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([word for word, count in counts.items() for _ in range(count)], trainer)
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


def test_merges_are_worked_out_by_hand():
    learned = learn_merges({"low": 5, "lower": 2, "newest": 6, "widest": 3}, 262)
    # Of the pairs that occur nine times, "es" has the lowest ids; "est" comes next, then "lo" and "ow" tie at seven.
    assert learned.tokens[256:260] == ["es", "est", "lo", "low"]
    assert pairs(learned.tokens)[:4] == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]


def test_the_first_tokens_are_all_bytes():
    learned = learn_merges({"aa": 1}, 300)
    assert learned.tokens == list(ALPHABET)
    assert sum(learned.counts) == learned.counts[ALPHABET.index("a")] == 2


def test_a_pair_that_occurs_once_is_not_merged():
    assert learn_merges({"abc": 1, "bd": 1}, 300).tokens[256:] == []
    assert learn_merges({"abc": 1, "ab": 1}, 300).tokens[256:] == ["ab"]


def test_overlapping_pairs_are_merged_from_the_left():
    assert merge_pair([1, 1, 1, 2], (1, 1), 9) == [9, 1, 2]
    assert merge_pair([1, 1, 1, 1], (1, 1), 9) == [9, 9]
    assert merge_pair([], (1, 1), 9) == []
    # Of the pairs "aa", "a" and "aa", "aa" that then occur three times each, the first one has the lower ids.
    learned = learn_merges({"aaaaa": 3}, 258)
    assert (learned.tokens[256:], learned.counts[256:]) == (["aa", "aaa"], [3, 3])


@given(counts_of_words, st.integers(256, 300))
@settings(max_examples=50, deadline=None)
def test_the_tokens_are_those_of_hugging_face(counts, size):
    assert learn_merges(counts, size).tokens == of_hugging_face(counts, size)


def test_the_tokens_of_a_text_are_those_of_hugging_face():
    chance = random.Random(0)
    words = [
        "Ġ" * chance.randint(0, 1) + "".join(chance.choices("aeioulnrst", k=chance.randint(1, 9)))
        for _ in range(3000)
    ]
    counts = {**Counter(words), to_characters("日本語の文".encode()): 5}
    learned = learn_merges(counts, 900)
    assert learned.tokens == of_hugging_face(counts, 900)
    assert sum(n * len(token) for token, n in zip(*learned, strict=True)) == sum(
        n * len(word) for word, n in counts.items()
    )


@given(counts_of_words)
@settings(max_examples=100, deadline=None)
def test_the_merges_are_restored_from_the_tokens(counts):
    learned = learn_merges(counts, 300)
    ranks = {pair: i for i, pair in enumerate(pairs(learned.tokens))}
    words, found = {word: list(word) for word in counts}, Counter()
    for word in words.values():
        while len(word) > 1:
            rank, pair = min((ranks.get(pair, len(ranks)), pair) for pair in zip(word, word[1:], strict=False))
            if rank == len(ranks):
                break
            word[:] = merge_pair(word, pair, "".join(pair))
    for word, parts in words.items():
        found.update({part: counts[word] * parts.count(part) for part in set(parts)})
    assert {t: n for t, n in zip(*learned, strict=True) if n} == +found


def test_equal_counts_in_another_order_give_the_same_tokens():
    counts = {"abab": 3, "bcb": 3, "acb": 3, "ca": 2}
    assert learn_merges(counts, 270) == learn_merges(dict(reversed(counts.items())), 270)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (ALPHABET[1:], r"lacks 1 of the 256 bytes, such as '!'; .*Give the vocabulary\.jsonl"),
        ((), r"lacks 256 of the 256 bytes"),
        (
            (*ALPHABET, "abc"),
            r"the token 'abc', of which the merges .* make \['a', 'b', 'c'\]; it must be two of them",
        ),
        ((*ALPHABET, "abc", "ab"), r"the token 'abc', of which"),
        # "bc" is merged before "ab", so that "ab" and "cd" never stand side by side.
        ((*ALPHABET, "bc", "ab", "cd", "abcd"), r"the token 'abcd', of which .* make \['a', 'bc', 'd'\]"),
        ((*ALPHABET, "a b"), r"the token 'a b', which is not written as bytes are"),
        ((*ALPHABET, "日本"), r"the token '日本', which is not written"),
        ((*ALPHABET, ""), r"the token '', which is not written"),
        ((*ALPHABET, "ab", "ab"), r"the token 'ab', of which .* make \['ab'\]"),
    ],
)
def test_tokens_that_are_no_merges_are_refused(tokens, message):
    with pytest.raises(UserError, match=message):
        merges_of(tokens)
