import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset import windows

documents = st.lists(st.integers(4, 100_000), max_size=40)
sizes = st.integers(1, 12)


def cut_one(ids, *, window, stride):
    """The pairs of one sequence, by `targets` and `cut`."""
    places = windows.targets(len(ids), stride=stride)
    x, y = windows.cut(np.array(ids), np.zeros(len(places), int), places, window=window)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def test_the_pairs_of_five_words_worked_out_by_hand():
    the, whale, that, was, white = range(4, 9)
    ids = windows.mark(np.array([the, whale, that, was, white]), begin=True, end=True)
    assert ids.tolist() == [2, the, whale, that, was, white, 3]
    assert cut_one(ids, window=3, stride=1) == [
        ([2, 0, 0], the),
        ([2, the, 0], whale),
        ([2, the, whale], that),
        ([the, whale, that], was),
        ([whale, that, was], white),
        ([that, was, white], 3),
    ]


def test_a_stride_keeps_every_so_manieth_target():
    assert cut_one([2, 4, 5, 6, 7, 8, 3], window=2, stride=3) == [([2, 0], 4), ([5, 6], 7)]


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [(True, True, [2, 7, 3]), (True, False, [2, 7]), (False, True, [7, 3]), (False, False, [7])],
)
def test_either_boundary_can_be_left_out(begin, end, expected):
    marked = windows.mark(np.array([7], np.uint16), begin=begin, end=end)
    assert marked.tolist() == expected
    assert marked.dtype == np.uint16


@given(documents, sizes)
@settings(max_examples=60, deadline=None)
def test_n_tokens_give_n_plus_one_pairs_whose_targets_are_the_tokens_and_the_end(tokens, window):
    ids = windows.mark(np.array(tokens, np.int64), begin=True, end=True)
    pairs = cut_one(ids, window=window, stride=1)
    assert [y for _, y in pairs] == [*tokens, 3]
    assert all(x[0] != 0 for x, _ in pairs)


@given(documents, sizes, st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_cut_agrees_with_the_definition(naive_pairs, ids, window, stride):
    assert cut_one(ids, window=window, stride=stride) == naive_pairs(ids, window=window, stride=stride)


@given(st.lists(documents, min_size=1, max_size=6), sizes, st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_no_window_crosses_from_one_sequence_to_the_next(naive_pairs, sequences, window, stride):
    begins = np.cumsum([0, *map(len, sequences)])
    places = [begin + windows.targets(len(ids), stride=stride) for begin, ids in zip(begins, sequences, strict=False)]
    x, y = windows.cut(
        np.array(sum(sequences, []), np.uint32),
        np.repeat(begins[:-1], [len(place) for place in places]),
        np.concatenate(places),
        window=window,
    )
    expected = [pair for ids in sequences for pair in naive_pairs(ids, window=window, stride=stride)]
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == expected
    assert x.dtype == y.dtype == np.uint32
    assert x.shape == (len(expected), window)


@given(st.integers(0, 60), sizes, st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_starts_are_a_window_before_their_targets_or_the_beginning(length, window, stride):
    places = windows.targets(length, stride=stride)
    for place, start in zip(places, windows.starts(places, window=window), strict=True):
        assert start == max(0, place - window)


def test_targets_begin_after_what_is_context_only():
    assert windows.targets(9, stride=2, first=4).tolist() == [4, 6, 8]
    assert windows.targets(1, stride=1).tolist() == []
    assert windows.targets(0, stride=1).tolist() == []


@given(st.integers(0, 300), st.integers(1, 50), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_spans_cover_every_target_once_with_enough_context(length, context, most_targets):
    spans = windows.spans(length, context=context, most_targets=most_targets)
    assert [target for span in spans for target in range(span.first, span.end)] == list(range(1, length))
    for span in spans:
        assert 0 < span.end - span.first <= most_targets
        assert span.start == max(0, span.first - context)


@pytest.mark.parametrize("length", [0, 1])
def test_a_sequence_without_a_target_has_no_span(length):
    assert windows.spans(length, context=3, most_targets=5) == []


def test_examples_in_the_docstrings_hold():
    result = doctest.testmod(windows)
    assert result.attempted > 0
    assert result.failed == 0
