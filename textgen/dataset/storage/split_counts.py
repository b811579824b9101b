"""Counts of the documents, tokens and pairs of a split."""

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass(kw_only=True, slots=True)
class SplitCounts:
    """Counts of a split.

    Attributes:
        documents: number of documents, or of split ranges if `split_by` is "tail".
        characters: number of code points of the cleaned text; a document in several splits is divided in proportion
            to its tokens.
        tokens: number of ids, without [BOS] and [EOS].
        unknown: number of ids that are [UNK].
        pairs: number of (X, y) pairs.
    """

    documents: int = 0
    characters: int = 0
    tokens: int = 0
    unknown: int = 0
    pairs: int = 0

    def add(self, other: "SplitCounts") -> None:
        """Adds other counts to these."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def sum_counts(several: Iterable[SplitCounts]) -> SplitCounts:
    """Returns the sum of counts."""
    total = SplitCounts()
    for counts in several:
        total.add(counts)
    return total
