import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import BOS, EOS
from textgen.dataset.storage.records import RestoredIds
from textgen.training.text_quality.verbatim_copies import CopySearch

LENGTHS = (1, 2, 3, 5)
# Few distinct ids, so that texts repeat each other; 1 is an unknown token.
texts = st.lists(st.lists(st.sampled_from([1, 4, 5, 6]), max_size=30), max_size=4)


def blocks(documents: list[list[int]], cuts: list[int]) -> list[RestoredIds]:
    """The documents as they are restored, in blocks that end at any place."""
    ids = np.array([i for document in documents for i in (BOS, *document, EOS)], np.int64)
    starts = np.flatnonzero(ids == BOS)
    edges = sorted({0, len(ids), *(cut for cut in cuts if cut < len(ids))})
    return [
        RestoredIds(ids[a:b], starts[(starts >= a) & (starts < b)] - a)
        for a, b in zip(edges, edges[1:], strict=False)
    ]


def grams(text: list[int], n: int) -> list[tuple[int, ...]]:
    found = [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]
    return [gram for gram in found if min(gram) > EOS]


@given(texts, texts, texts, st.lists(st.integers(1, 120), max_size=5))
@settings(max_examples=60, deadline=None)
def test_shares_and_the_longest_copy_are_those_found_by_comparing_all(training, written, held_out, cuts):
    sets = [[np.array(text, np.int64) for text in some] for some in (written, held_out)]
    search = CopySearch(sets, LENGTHS)
    for block in blocks(training, cuts):
        search.read(block)
    for index, some in enumerate((written, held_out)):
        expected = {}
        for n in range(1, 31):
            known = {gram for document in training for gram in grams(document, n)}
            own = [gram for text in some for gram in grams(text, n)]
            expected[n] = sum(gram in known for gram in own) / len(own) if own else None
        assert search.shares(index) == pytest.approx({n: expected[n] for n in LENGTHS})
        longest = search.longest(index)
        assert longest.length == len(longest.ids) == max((n for n, share in expected.items() if share), default=0)
        assert not longest.length or any(tuple(longest.ids.tolist()) in grams(text, longest.length) for text in some)


def test_a_copy_over_several_blocks_is_found():
    training = list(range(10, 60))
    search = CopySearch([[np.arange(5, 55)], [np.arange(200, 220)]], (8, 100))
    for block in blocks([training], [13, 20, 21, 40]):
        search.read(block)
    assert search.longest(0).ids.tolist() == list(range(10, 55))
    assert search.longest(1).length == 0
    # Of 43 8-grams, those that begin from 10 on.
    assert search.shares(0) == {8: 38 / 43, 100: None}
    assert search.shares(1) == {8: 0, 100: None}
