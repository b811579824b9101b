"""Learns the merges of byte-pair encoding, as compiled loops over arrays.

Words lie one after another in an array of characters, and a token is at the place of its first character. The places
of a pair form a list, so that a merge visits only these, and a heap holds the pairs, the most frequent first.
"""

from typing import NamedTuple

import numpy as np

from textgen.numba_loops import compiled, inlined

_NONE = -1
"""Stands for no place, in a list or a word."""

_MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio; the high bits of the product choose the slot (Knuth, TAOCP 3, 6.4)."""


class DividedWords(NamedTuple):
    """Words of S characters in all, divided into tokens.

    Attributes:
        tokens: int32 [S], the token at each place; -1 where none begins.
        left: int32 [S], place of the token before, within the word.
        right: int32 [S], place of the token after, within the word.
        weights: int64 [S], how often the word of each place occurs.
    """

    tokens: np.ndarray
    left: np.ndarray
    right: np.ndarray
    weights: np.ndarray

    @classmethod
    def of_characters(cls, characters: np.ndarray, sizes: np.ndarray, counts: np.ndarray) -> "DividedWords":
        """Returns words in which each character is a token.

        Args:
            characters: int32 [S], those of all words.
            sizes: int64 [W], number of characters of each word.
            counts: int64 [W], how often each word occurs.
        """
        places, ends, some = np.arange(len(characters), dtype=np.int32), np.cumsum(sizes), sizes > 0
        left, right = places - 1, places + 1
        left[(ends - sizes)[some]] = right[ends[some] - 1] = _NONE
        return cls(characters, left, right, np.repeat(counts, sizes))


class TokenPairs(NamedTuple):
    """The pairs of adjacent tokens, numbered from 0 as they are met, of which there is room for P.

    Attributes:
        slots: int32 [2^k], a hash table: the number of a pair plus 1, or 0 for an empty slot.
        keys: int64 [P], the first token of a pair times 2^32, plus the second.
        counts: int64 [P], how often the pair occurs.
        first: int32 [P], the first place of the pair, that of its first token.
        last: int32 [P], its last place.
        before: int32 [S], the place of the same pair before each place.
        after: int32 [S], the one after it.
        heap: int32 [P], the pairs, as a binary heap.
        ranks: int32 [P], index of each pair in `heap`.
        known: int64 [1], the number of pairs.
    """

    slots: np.ndarray
    keys: np.ndarray
    counts: np.ndarray
    first: np.ndarray
    last: np.ndarray
    before: np.ndarray
    after: np.ndarray
    heap: np.ndarray
    ranks: np.ndarray
    known: np.ndarray

    @classmethod
    def with_room(cls, characters: int) -> "TokenPairs":
        """Returns no pairs, with room for those that words of S characters may ever have."""
        # There are fewer than S pairs and S merges, each of which makes at most two new ones.
        room = 3 * characters + 1
        return cls(
            slots=np.zeros(1 << (2 * room).bit_length(), np.int32),
            keys=np.empty(room, np.int64),
            counts=np.empty(room, np.int64),
            first=np.empty(room, np.int32),
            last=np.empty(room, np.int32),
            before=np.empty(characters, np.int32),
            after=np.empty(characters, np.int32),
            heap=np.empty(room, np.int32),
            ranks=np.empty(room, np.int32),
            known=np.zeros(1, np.int64),
        )


@compiled
def learn(words: DividedWords, pairs: TokenPairs, merges: np.ndarray, least: int) -> int:
    """Merges the most frequent pair of all words, again and again; of equally frequent ones that with the lowest key.

    Args:
        words: the words, each character a token below 256; receive the tokens that are left.
        pairs: no pairs, with room for those of the words.
        merges: int64 [M], receives the key of the pair that is merged to each token from 256 on.
        least: number of times that a pair must occur.

    Returns:
        The number of merges, below M if no pair is left that occurs so often.
    """
    for place in range(len(words.tokens)):
        _add(words, pairs, place)
    for done in range(len(merges)):
        best = pairs.heap[0]
        if pairs.known[0] == 0 or pairs.counts[best] < least:
            return done
        merges[done] = pairs.keys[best]
        while pairs.first[best] != _NONE:
            _merge(words, pairs, pairs.first[best], 256 + done)
    return len(merges)


@inlined
def _merge(words: DividedWords, pairs: TokenPairs, place: int, merged: int) -> None:
    """Replaces the token at a place and the next one by one token."""
    before, second = words.left[place], words.right[place]
    after = words.right[second]
    for each in (before, place, second):
        _remove(words, pairs, each)
    words.tokens[place], words.tokens[second], words.right[place] = merged, _NONE, after
    if after != _NONE:
        words.left[after] = place
    _add(words, pairs, before)
    _add(words, pairs, place)


@inlined
def _add(words: DividedWords, pairs: TokenPairs, place: int) -> None:
    """Counts the pair that begins at a place, if one does."""
    if place == _NONE or words.right[place] == _NONE:
        return
    pair = _number(pairs, words, place)
    pairs.before[place], pairs.after[place] = pairs.last[pair], _NONE
    if pairs.last[pair] == _NONE:
        pairs.first[pair] = place
    else:
        pairs.after[pairs.last[pair]] = place
    pairs.last[pair] = place
    pairs.counts[pair] += words.weights[place]
    _rise(pairs, pair)


@inlined
def _remove(words: DividedWords, pairs: TokenPairs, place: int) -> None:
    """Counts the pair that begins at a place no more, if one does."""
    if place == _NONE or words.right[place] == _NONE:
        return
    pair = _number(pairs, words, place)
    before, after = pairs.before[place], pairs.after[place]
    if before == _NONE:
        pairs.first[pair] = after
    else:
        pairs.after[before] = after
    if after == _NONE:
        pairs.last[pair] = before
    else:
        pairs.before[after] = before
    pairs.counts[pair] -= words.weights[place]
    _sink(pairs, pair)


@inlined
def _number(pairs: TokenPairs, words: DividedWords, place: int) -> int:
    """Returns the number of the pair that begins at a place; a new pair gets a number, and occurs nowhere yet."""
    key = np.int64(words.tokens[place]) << 32 | np.int64(words.tokens[words.right[place]])
    mask = len(pairs.slots) - 1
    slot = np.int64((np.uint64(key) * _MIXER) >> np.uint64(32)) & mask
    while pairs.slots[slot] != 0:
        if pairs.keys[pairs.slots[slot] - 1] == key:
            return int(pairs.slots[slot]) - 1
        slot = (slot + 1) & mask
    pair = int(pairs.known[0])
    pairs.slots[slot] = pair + 1
    pairs.keys[pair], pairs.counts[pair], pairs.first[pair], pairs.last[pair] = key, 0, _NONE, _NONE
    pairs.heap[pair] = pairs.ranks[pair] = pair
    pairs.known[0] = pair + 1
    return pair


@inlined
def _comes_before(pairs: TokenPairs, one: int, other: int) -> bool:
    """Returns whether a pair is merged before another one."""
    if pairs.counts[one] != pairs.counts[other]:
        return pairs.counts[one] > pairs.counts[other]
    return pairs.keys[one] < pairs.keys[other]


@inlined
def _rise(pairs: TokenPairs, pair: int) -> None:
    """Moves a pair that has become more frequent towards the top of the heap."""
    rank = pairs.ranks[pair]
    while rank > 0:
        above = (rank - 1) >> 1
        if not _comes_before(pairs, pair, pairs.heap[above]):
            break
        pairs.heap[rank] = pairs.heap[above]
        pairs.ranks[pairs.heap[rank]] = rank
        rank = above
    pairs.heap[rank], pairs.ranks[pair] = pair, rank


@inlined
def _sink(pairs: TokenPairs, pair: int) -> None:
    """Moves a pair that has become rarer away from the top of the heap."""
    rank, known = pairs.ranks[pair], pairs.known[0]
    while 2 * rank + 1 < known:
        below = 2 * rank + 1
        if below + 1 < known and _comes_before(pairs, pairs.heap[below + 1], pairs.heap[below]):
            below += 1
        if not _comes_before(pairs, pairs.heap[below], pair):
            break
        pairs.heap[rank] = pairs.heap[below]
        pairs.ranks[pairs.heap[rank]] = rank
        rank = below
    pairs.heap[rank], pairs.ranks[pair] = pair, rank
