import numpy as np
import pytest

from textgen.dataset.loading.read_options import choose
from textgen.dataset.loading.shuffle_groups import (
    PairGroup,
    RowGroup,
    SpanGroup,
    count_rows,
    count_targets,
    read_spans,
    served_targets,
)
from textgen.dataset.storage import records, shards, windows
from textgen.dataset.storage.shards import Block, Place

WINDOW = 3
DOCUMENTS = [[2, 4, 5, 6, 7, 3], [2, 3], [2, *range(10, 30), 3]]
U2 = np.dtype("<u2")


def framed(made):
    return bytes(shards.frame(made)[0])


@pytest.fixture
def sequences():
    return windows.sequences([np.array(ids) for ids in DOCUMENTS])


@pytest.fixture
def spans(sequences, monkeypatch):
    monkeypatch.setattr(records, "SPAN_TARGETS", 8)
    return framed(records.span_records(sequences, window=WINDOW, stride=1, dtype=U2))


@pytest.fixture
def pairs(naive_pairs):
    return [pair for ids in DOCUMENTS for pair in naive_pairs(ids, window=WINDOW)]


def made_group(layout, sequences, spans, served):
    if layout == "spans":
        found = read_spans([spans], stride=1, min_context=1, dtype=U2)
        return SpanGroup(found, served, window=WINDOW, stride=1)
    made = [framed(part) for part in records.pair_records(sequences, window=WINDOW, stride=1)]
    return PairGroup(made, served, window=WINDOW, vocabulary_size=30)


def cut(group, numbers, count, dtype=np.int32):
    x, y = np.empty((count, WINDOW), dtype), np.empty(count, dtype)
    group.cut(numbers, x, y)
    return list(zip(x.tolist(), y.tolist(), strict=True))


@pytest.mark.parametrize("layout", ["pairs", "spans"])
@pytest.mark.parametrize("dtype", [np.int32, np.uint16])
def test_any_pairs_are_cut_in_any_order(layout, dtype, sequences, spans, pairs):
    group = made_group(layout, sequences, spans, np.arange(len(pairs)))
    numbers = np.random.RandomState(0).permutation(len(pairs))[:20]
    assert cut(group, numbers, 20, dtype) == [pairs[number] for number in numbers]
    assert cut(group, slice(3, 9), 6, dtype) == pairs[3:9]


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_pairs_are_numbered_in_the_order_that_they_are_served(layout, sequences, spans, pairs):
    group = made_group(layout, sequences, spans, np.array([9, 1, 20]))
    assert cut(group, np.array([2, 0]), 2) == [pairs[20], pairs[9]]
    assert cut(group, slice(0, 3), 3) == [pairs[9], pairs[1], pairs[20]]


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_no_pairs_are_cut_as_none(layout, sequences, spans):
    assert cut(made_group(layout, sequences, spans, np.arange(4)), np.empty(0, int), 0) == []


@pytest.mark.parametrize("min_context", [1, 2, 3])
def test_targets_with_enough_context_are_counted(spans, pairs, min_context):
    expected = sum(len(x) - x.count(0) >= min_context for x, _ in pairs)
    assert count_targets(spans, stride=1, min_context=min_context, dtype=U2) == expected


def test_rows_are_cut_in_any_order_and_each_begins_a_document_or_goes_on(spans):
    group = RowGroup(read_spans([spans], stride=1, min_context=1, dtype=U2), np.arange(11), window=WINDOW)
    assert group.begin.tolist() == [number in (0, 2, 3) for number in range(11)]
    x, y = np.empty((4, WINDOW), np.int32), np.empty((4, WINDOW), np.int32)
    group.cut(np.array([1, 2, 3, 10]), x, y)
    # The third document's 21 targets are in spans of 8, 8 and 5.
    assert x.tolist() == [[6, 7, 0], [2, 0, 0], [2, 10, 11], [28, 29, 0]]
    assert y.tolist() == [[7, 3, 0], [3, 0, 0], [10, 11, 12], [29, 3, 0]]


@pytest.mark.parametrize(("window", "rows"), [(1, 27), (3, 11), (8, 5), (100, 5)])
def test_rows_are_counted(spans, window, rows):
    assert count_rows(spans, window=window, dtype=U2) == rows


def test_served_targets_are_numbered_over_the_blocks_of_a_group():
    places = [Place("a", 0, i, Block(1, 1, 5, 0)) for i in range(3)]
    blocks = choose(places, np.array([5, 5, 5]), step=2, fraction=1.0)
    # Of the split the targets 0, 2, 4 | 6, 8 | 10, 12, 14; the group has its third block first.
    assert served_targets(blocks, np.array([2, 0]), step=2).tolist() == [0, 2, 4, 5, 7, 9]
