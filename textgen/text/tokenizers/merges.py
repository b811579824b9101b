"""Learns the merges of byte-pair encoding from the counts of pre-tokens, and restores them from the tokens.

The most frequent pair of adjacent tokens becomes a token, again and again (Sennrich et al. 2016, arXiv:1508.07909).
Equal counts go by the ids of the pair, so that the merges are those of Hugging Face's `BpeTrainer`.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from textgen.errors import UserError
from textgen.text.tokenizers.byte_alphabet import ALPHABET, is_written

_LEAST = 2
"""Number of times that a pair must occur to become a token."""

_REMEDY = "Give the vocabulary.jsonl of a dataset with --tokenizer bpe."

Pair = tuple[int, int]


class LearnedTokens(NamedTuple):
    """Tokens in the order in which they were learned, and how often each occurs in the text that they divide."""

    tokens: list[str]
    counts: list[int]


def learn_merges(counts: Mapping[str, int], size: int) -> LearnedTokens:
    """Learns tokens until there are `size`, or no pair occurs twice; the first 256 are the bytes.

    Args:
        counts: number of occurrences of each pre-token, in the alphabet of bytes.
        size: number of tokens, at least 256.
    """
    tokens = list(ALPHABET)
    ids = {character: i for i, character in enumerate(tokens)}
    words = [[ids[character] for character in word] for word in counts]
    weights = list(counts.values())
    pairs = _PairCounts(words, weights)
    while len(tokens) < size and (pair := pairs.most_frequent()):
        tokens.append(tokens[pair[0]] + tokens[pair[1]])
        pairs.merge(pair, len(tokens) - 1)
    found = Counter[int]()
    for word, weight in zip(words, weights, strict=True):
        for i in word:
            found[i] += weight
    return LearnedTokens(tokens, [found[i] for i in range(len(tokens))])


class _PairCounts:
    """Counts of the pairs of adjacent tokens in words, kept up to date while pairs are merged in place."""

    def __init__(self, words: list[list[int]], weights: Sequence[int]):
        self._words, self._weights = words, weights
        self._counts: dict[Pair, int] = defaultdict(int)
        # Words that have had a pair; some may have it no longer.
        self._words_with: dict[Pair, set[int]] = defaultdict(set)
        for i, word in enumerate(words):
            for pair in pairwise(word):
                self._counts[pair] += weights[i]
                self._words_with[pair].add(i)
        self._heap = [(-count, pair) for pair, count in self._counts.items()]
        heapq.heapify(self._heap)

    def most_frequent(self) -> Pair | None:
        """Returns the most frequent pair, of equal ones the one with the lowest ids; None if no pair occurs twice."""
        while self._heap:
            negated, pair = self._heap[0]
            count = self._counts[pair]
            if count == -negated:
                return pair if count >= _LEAST else None
            # The count has changed since; a higher one has an entry of its own.
            heapq.heappop(self._heap)
            if 0 < count < -negated:
                heapq.heappush(self._heap, (-count, pair))
        return None

    def merge(self, pair: Pair, merged: int) -> None:
        """Replaces a pair by the token `merged` in all words, from the left."""
        grown: set[Pair] = set()
        for i in self._words_with.pop(pair):
            word, at = self._words[i], 0
            while at < len(word) - 1:
                if word[at] == pair[0] and word[at + 1] == pair[1]:
                    if at > 0:
                        grown.add(self._exchange((word[at - 1], pair[0]), (word[at - 1], merged), i))
                    if at + 2 < len(word):
                        grown.add(self._exchange((pair[1], word[at + 2]), (merged, word[at + 2]), i))
                    word[at : at + 2] = [merged]
                at += 1
        del self._counts[pair]
        for each in grown:
            heapq.heappush(self._heap, (-self._counts[each], each))

    def _exchange(self, old: Pair, new: Pair, i: int) -> Pair:
        """Counts a pair of word `i` as another one, which it returns."""
        self._counts[old] -= self._weights[i]
        self._counts[new] += self._weights[i]
        self._words_with[new].add(i)
        return new


def merge_pair(word: Sequence[int], pair: Pair, merged: int) -> list[int]:
    """Returns a word with each occurrence of a pair replaced, from the left.

    >>> merge_pair([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    found, i, last = list[int](), 0, len(word) - 1
    while i <= last:
        if i < last and word[i] == pair[0] and word[i + 1] == pair[1]:
            found.append(merged)
            i += 2
        else:
            found.append(word[i])
            i += 1
    return found


def merges_of(tokens: Sequence[str]) -> list[Pair]:
    """Returns the pair that was merged for each token that is not a byte, in order.

    The merges before it divide a token that was learned into just these two.

    Args:
        tokens: tokens in the order in which they were learned, or read from a file.

    Raises:
        UserError: a byte is missing, a token is not written in the alphabet of bytes, or the merges of the tokens
            before it do not divide it into two of them.
    """
    indices = {token: i for i, token in enumerate(tokens)}
    _require_bytes(indices)
    strange = next((token for token in tokens if not is_written(token)), None)
    if strange is not None:
        raise UserError(f"the vocabulary has the token {strange!r}, which is not written as bytes are. {_REMEDY}")
    ranks = dict[Pair, int]()
    for i, token in enumerate(tokens):
        if len(token) == 1:
            continue
        parts = _divide([indices[character] for character in token], ranks)
        if len(parts) != 2 or max(parts) > i:
            raise UserError(
                f"the vocabulary has the token {token!r}, of which the merges of the tokens before it make "
                f"{[tokens[part] for part in parts]}; it must be two of them. {_REMEDY}"
            )
        ranks[parts[0], parts[1]] = i
    return list(ranks)


def _require_bytes(indices: Container[str]) -> None:
    missing = [character for character in ALPHABET if character not in indices]
    if missing:
        raise UserError(
            f"the vocabulary lacks {len(missing)} of the 256 bytes, such as {missing[0]!r}; with bpe every byte is a "
            f"token. {_REMEDY}"
        )


def _divide(word: list[int], ranks: Mapping[Pair, int]) -> list[int]:
    """Returns a word with all merges applied, the earliest first."""
    while known := [(ranks[pair], pair) for pair in pairwise(word) if pair in ranks]:
        merged, pair = min(known)
        word = merge_pair(word, pair, merged)
    return word
