"""Variety of several texts, and repetition inside each: figures of their n-grams.

Texts are sequences of token ids, and an n-gram is n consecutive tokens of one text.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

TokenIds: TypeAlias = Sequence[int]
"""Token ids of one text."""

_SMOOTHING = 0.1


def distinct(texts: Sequence[TokenIds], n: int) -> float | None:
    """Returns distinct-n: the number of distinct n-grams of all texts, as a share of all their n-grams.

    After Li et al. 2016, "A diversity-promoting objective function for neural conversation models", who divide by the
    number of tokens instead; so 1 means here that no n-gram occurs twice. None if the texts have no n-grams.

    >>> distinct([[5, 6, 5], [5, 6]], 1), distinct([[5, 6, 5], [5, 6]], 2)
    (0.4, 0.6666666666666666)
    """
    counts = Counter(gram for text in texts for gram in _grams(text, n))
    return len(counts) / counts.total() if counts else None


def repetition(texts: Sequence[TokenIds], n: int) -> float | None:
    """Returns the mean share of a text's n-grams that are repetitions of an earlier one in the same text.

    It is 1 - distinct n-grams / n-grams of each text, "seq-rep-n" of Welleck et al. 2020, "Neural text generation
    with unlikelihood training". None if no text has n-grams.

    >>> repetition([[5, 6, 5, 6], [5, 6, 7]], 2)
    0.16666666666666666
    """
    shares = [1 - len(set(_grams(text, n))) / (len(text) - n + 1) for text in texts if len(text) >= n]
    return math.fsum(shares) / len(shares) if shares else None


def self_bleu(texts: Sequence[TokenIds], n: int) -> float | None:
    """Returns the mean BLEU-n of each text with all others as its references; a high one means similar texts.

    Self-BLEU is of Zhu et al. 2018, "Texygen: a benchmarking platform for text generation models", and BLEU of
    Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation": the geometric mean of the
    clipped precisions of 1- to n-grams, times the penalty for a text shorter than its closest reference. As in
    Texygen, a precision of 0 counts as 0.1 matches (method 1 of Chen & Cherry 2014), and a text without any token of
    the others has 0. None for fewer than two texts.
    """
    if len(texts) < 2:
        return None
    lengths = Counter(len(text) for text in texts)
    precisions = [_clipped_precisions(texts, order) for order in range(1, n + 1)]
    scores = []
    for index, text in enumerate(texts):
        of_text = [of_order[index] for of_order in precisions]
        if not text or of_text[0][0] == 0:
            scores.append(0.0)
            continue
        logs = [math.log((matches or _SMOOTHING) / max(1, grams)) for matches, grams in of_text]
        scores.append(_brevity_penalty(len(text), lengths) * math.exp(math.fsum(logs) / n))
    return math.fsum(scores) / len(scores)


def _grams(text: TokenIds, n: int) -> Sequence[tuple[int, ...]]:
    return list(zip(*(text[i:] for i in range(n)), strict=False))


def _clipped_precisions(texts: Sequence[TokenIds], n: int) -> list[tuple[int, int]]:
    """Returns, for each text, the n-grams that a reference has too, and all n-grams.

    An occurrence beyond the largest number in any one reference is no match.
    """
    counts = [Counter(_grams(text, n)) for text in texts]
    # The largest count of each n-gram, the text that has it, and the largest count in the other texts.
    largest = dict[tuple[int, ...], tuple[int, int, int]]()
    for index, of_text in enumerate(counts):
        for gram, count in of_text.items():
            first, owner, second = largest.get(gram, (0, -1, 0))
            largest[gram] = (count, index, first) if count > first else (first, owner, max(second, count))
    return [
        (
            sum(
                min(count, largest[gram][2] if largest[gram][1] == index else largest[gram][0])
                for gram, count in of_text.items()
            ),
            of_text.total(),
        )
        for index, of_text in enumerate(counts)
    ]


def _brevity_penalty(length: int, lengths: Counter[int]) -> float:
    """Returns the penalty of a text, given the number of texts of each length, its own among them."""
    others = [other for other, count in lengths.items() if count > (other == length)]
    closest = min(others, key=lambda other: (abs(other - length), other))
    return 1.0 if length > closest else math.exp(1 - closest / length)
