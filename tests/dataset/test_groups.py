import numpy as np
import pytest

from textgen.config import PrepareConfig, TextConfig
from textgen.dataset import records, shards, windows
from textgen.dataset.choice import choose
from textgen.dataset.groups import PairGroup, SpanGroup, count_targets, read_spans, served_targets
from textgen.dataset.shards import Block, Place

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


def made_group(layout, sequences, spans, served, dtype):
    if layout == "spans":
        found = read_spans([spans], stride=1, min_context=1, dtype=U2)
        return SpanGroup(found, served, window=WINDOW, stride=1, dtype=dtype)
    made = [framed(part) for part in records.pair_records(sequences, window=WINDOW, stride=1)]
    return PairGroup(made, served, PrepareConfig(text=TextConfig(), window=WINDOW), dtype)


@pytest.mark.parametrize("layout", ["pairs", "spans"])
@pytest.mark.parametrize("dtype", [np.int32, np.uint16])
def test_any_pairs_are_cut_in_any_order(layout, dtype, sequences, spans, pairs):
    group = made_group(layout, sequences, spans, np.arange(len(pairs)), np.dtype(dtype))
    numbers = np.random.RandomState(0).permutation(len(pairs))[:20]
    x, y = group.cut(numbers)
    assert (x.dtype, y.dtype) == (dtype, dtype)
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == [pairs[number] for number in numbers]


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_numbers_are_those_of_the_pairs_that_are_served(layout, sequences, spans, pairs):
    group = made_group(layout, sequences, spans, np.arange(1, len(pairs), 4), np.dtype(np.int32))
    assert group.cut(np.array([2, 0]))[1].tolist() == [pairs[9][1], pairs[1][1]]


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_no_pairs_are_cut_as_none(layout, sequences, spans):
    x, y = made_group(layout, sequences, spans, np.arange(4), np.dtype(np.int32)).cut(np.empty(0, int))
    assert (x.shape, y.shape) == ((0, WINDOW), (0,))


@pytest.mark.parametrize("min_context", [1, 2, 3])
def test_targets_with_enough_context_are_counted(spans, pairs, min_context):
    expected = sum(len(x) - x.count(0) >= min_context for x, _ in pairs)
    assert count_targets(spans, stride=1, min_context=min_context, dtype=U2) == expected


def test_served_targets_are_numbered_over_the_blocks_of_a_group():
    places = [Place("a", 0, i, Block(1, 1, 5, 0)) for i in range(3)]
    blocks = choose(places, np.array([5, 5, 5]), step=2, fraction=1.0)
    # Of the split the targets 0, 2, 4 | 6, 8 | 10, 12, 14; the group has its third block first.
    assert served_targets(blocks, np.array([2, 0]), step=2).tolist() == [0, 2, 4, 5, 7, 9]
