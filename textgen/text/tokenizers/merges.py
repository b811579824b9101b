"""Learns the merges of byte-pair encoding from the counts of pre-tokens, and restores them from the tokens.

The most frequent pair of adjacent tokens becomes a token, again and again (Sennrich et al. 2016, arXiv:1508.07909).
Equal counts go by the ids of the pair, so that the merges are those of Hugging Face's `BpeTrainer`.
"""

from collections.abc import Container, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from textgen.errors import UserError
from textgen.text.tokenizers.byte_alphabet import ALPHABET, is_written

_LEAST = 2
"""Number of times that a pair must occur to become a token."""

_MASK = (1 << 32) - 1
"""Selects the second token of a pair, whose key is the first one times 2^32, plus the second."""

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
    # Imported late, since only learning needs compiled loops.
    from textgen.text.tokenizers.merge_loops import DividedWords, TokenPairs, learn

    characters = _ids_of_characters("".join(counts))
    sizes = np.fromiter(map(len, counts), np.int64, len(counts))
    words = DividedWords.of_characters(characters, sizes, np.fromiter(counts.values(), np.int64, len(counts)))
    merges = np.empty(size - len(ALPHABET), np.int64)
    learned = learn(words, TokenPairs.with_room(len(characters)), merges, _LEAST)
    tokens = list(ALPHABET)
    for first, second in zip(*(part[:learned].tolist() for part in (merges >> 32, merges & _MASK)), strict=True):
        tokens.append(tokens[first] + tokens[second])
    is_token, found = words.tokens >= 0, np.zeros(len(tokens), np.int64)
    np.add.at(found, words.tokens[is_token], words.weights[is_token])
    return LearnedTokens(tokens, found.tolist())


def _ids_of_characters(text: str) -> np.ndarray:
    """Returns int32 [S], the ids of characters of the alphabet of bytes."""
    codes = np.frombuffer("".join(ALPHABET).encode("utf-32-le"), np.int32)
    ids = np.zeros(codes.max() + 1, np.int32)
    ids[codes] = np.arange(len(codes), dtype=np.int32)
    return ids[np.frombuffer(text.encode("utf-32-le"), np.int32)]


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
