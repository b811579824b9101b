import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset.storage import windows

documents = st.lists(st.integers(4, 100_000), max_size=40)
sizes = st.integers(1, 12)


def cut_one(ids, *, window, stride):
    """The pairs of one sequence, by `targets` and `Windows`."""
    return cut_all([ids], window=window, stride=stride)


def cut_all(each, *, window, stride):
    sequences = windows.sequences([np.array(ids, int) for ids in each])
    targets = windows.targets(sequences, window=window, stride=stride)
    x, y = windows.Windows(sequences.ids, window=window).pairs(targets)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def test_the_pairs_of_five_words_equal_those_worked_by_hand():
    the, whale, that, was, white = range(4, 9)
    ids = [2, the, whale, that, was, white, 3]
    assert cut_one(ids, window=3, stride=1) == [
        ([2, 0, 0], the),
        ([2, the, 0], whale),
        ([2, the, whale], that),
        ([the, whale, that], was),
        ([whale, that, was], white),
        ([that, was, white], 3),
    ]


def test_stride_keeps_every_stride_th_target():
    assert cut_one([2, 4, 5, 6, 7, 8, 3], window=2, stride=3) == [([2, 0], 4), ([5, 6], 7)]


@given(documents, sizes)
@settings(max_examples=60, deadline=None)
def test_n_tokens_give_n_plus_one_pairs(tokens, window):
    pairs = cut_one([2, *tokens, 3], window=window, stride=1)
    assert [y for _, y in pairs] == [*tokens, 3]
    assert all(x[0] != 0 for x, _ in pairs)


@given(documents, sizes, st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_pairs_agree_with_the_definition(naive_pairs, ids, window, stride):
    assert cut_one(ids, window=window, stride=stride) == naive_pairs(ids, window=window, stride=stride)


@given(st.lists(documents, min_size=1, max_size=6), sizes, st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_no_window_crosses_from_one_sequence_to_the_next(naive_pairs, sequences, window, stride):
    expected = [pair for ids in sequences for pair in naive_pairs(ids, window=window, stride=stride)]
    assert cut_all(sequences, window=window, stride=stride) == expected


def test_pairs_have_the_dtype_of_the_ids():
    sequences = windows.sequences([np.array([2, 7, 3], np.uint16)])
    targets = windows.targets(sequences, window=5, stride=1)
    x, y = windows.Windows(sequences.ids, window=5).pairs(targets)
    assert x.dtype == y.dtype == np.uint16
    assert x.shape == (2, 5)


@given(st.integers(0, 60), sizes, st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_windows_start_w_ids_before_their_target_or_with_the_sequence(length, window, stride):
    found = windows.targets(windows.sequences([np.arange(length)]), window=window, stride=stride)
    assert found.starts.tolist() == [max(0, index - window) for index in found.indices]


def test_targets_start_after_the_context():
    sequences = windows.Sequences(np.arange(10), np.array([0]), np.array([4]), np.array([9]))
    found = windows.targets(sequences, window=3, stride=2)
    assert found.indices.tolist() == [4, 6, 8]
    assert found.starts.tolist() == [1, 3, 5]


@given(st.lists(st.integers(0, 300), max_size=4), st.integers(1, 50), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_spans_cover_every_target_once_with_enough_context(lengths, context, max_targets):
    whole = windows.sequences([np.arange(length) for length in [*lengths, 2]])
    cut = windows.spans(whole, context=context, max_targets=max_targets)
    spans = list(zip(cut.starts.tolist(), cut.firsts.tolist(), cut.ends.tolist(), strict=True))
    targets = [target for _, first, end in spans for target in range(first, end)]
    assert targets == windows.targets(whole, window=1, stride=1).indices.tolist()
    for start, first, end in spans:
        assert 0 < end - first <= max_targets
        sequence_start = max(begin for begin in whole.starts if begin < first)
        assert start == max(sequence_start, first - context)


@given(st.lists(st.integers(0, 60), max_size=4), st.integers(0, 9), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_rows_hold_every_target_once_and_none_of_two_sequences(lengths, context, window):
    ends = np.cumsum([*lengths, 2])
    starts = ends - [*lengths, 2]
    firsts = np.minimum(starts + 1 + context, ends)
    found = windows.rows(windows.Sequences(np.arange(ends[-1]), starts, firsts, ends), window=window)
    edges = zip(found.firsts.tolist(), (found.firsts + found.widths).tolist(), strict=True)
    rows = [list(range(first, end)) for first, end in edges]
    sequences = list(zip(starts.tolist(), firsts.tolist(), ends.tolist(), strict=True))
    assert sum(rows, []) == [target for _, first, end in sequences for target in range(first, end)]
    for row, begins in zip(rows, found.starts_document.tolist(), strict=True):
        start, _, end = next(sequence for sequence in sequences if row[0] < sequence[2])
        assert 0 < len(row) <= window and row[-1] < end
        assert len(row) == window or row[-1] == end - 1
        assert begins == (row[0] == start + 1)


def test_windows_are_extracted_at_any_index():
    cut = windows.Windows(np.array([2, 7, 8, 9, 3], np.uint16), window=3).extract(
        np.array([3, 0, 4]), np.array([2, 3, 0])
    )
    assert cut.tolist() == [[9, 3, 0], [2, 7, 8], [0, 0, 0]]
    assert cut.dtype == np.uint16


@pytest.mark.parametrize("length", [0, 1])
def test_a_sequence_without_a_target_has_no_span(length):
    assert not len(windows.spans(windows.sequences([np.arange(length)]), context=3, max_targets=5).starts)


def test_examples_in_the_docstrings_hold():
    result = doctest.testmod(windows)
    assert result.attempted > 0
    assert result.failed == 0
