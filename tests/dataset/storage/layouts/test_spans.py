import numpy as np
import pytest

from tests.dataset.block_contents import content_of
from textgen.dataset.storage import windows
from textgen.dataset.storage.layouts.spans import Spans
from textgen.dataset.storage.records import ReadRequest, RecordFormat
from textgen.errors import UserError

WINDOW = 3
DOCUMENTS = [[2, 4, 5, 6, 7, 3], [2, 3], [2, *range(10, 30), 3]]
WRITTEN = RecordFormat(WINDOW, 1, 30)
LAYOUT = Spans(max_targets=8)


@pytest.fixture
def contents():
    sequences = windows.sequences([np.array(ids) for ids in DOCUMENTS])
    return [content_of(made) for made in LAYOUT.encode(sequences, WRITTEN)]


@pytest.fixture
def pairs(naive_pairs):
    return [pair for ids in DOCUMENTS for pair in naive_pairs(ids, window=WINDOW)]


def extract(contents, order, indices, count, dtype=np.int32):
    loaded = LAYOUT.load(contents, np.asarray(order), ReadRequest(WINDOW, 1), WRITTEN)
    x, y = np.empty((count, WINDOW), dtype), np.empty(count, dtype)
    loaded.extract(indices, x, y)
    return list(zip(x.tolist(), y.tolist(), strict=True))


@pytest.mark.parametrize("dtype", [np.int32, np.uint16])
def test_any_pairs_are_extracted_in_any_order(dtype, contents, pairs):
    everything = np.arange(len(pairs))
    indices = np.random.RandomState(0).permutation(len(pairs))[:20]
    assert extract(contents, everything, indices, 20, dtype) == [pairs[i] for i in indices]
    assert extract(contents, everything, slice(3, 9), 6, dtype) == pairs[3:9]


def test_indices_count_pairs_in_the_order_that_they_are_served(contents, pairs):
    assert extract(contents, [9, 1, 20], np.array([2, 0]), 2) == [pairs[20], pairs[9]]
    assert extract(contents, [9, 1, 20], slice(0, 3), 3) == [pairs[9], pairs[1], pairs[20]]


def test_no_indices_give_no_pairs(contents):
    assert extract(contents, np.arange(4), np.empty(0, int), 0) == []


@pytest.mark.parametrize("min_context", [1, 2, 3])
def test_targets_with_enough_context_are_counted(contents, pairs, min_context):
    expected = sum(len(x) - x.count(0) >= min_context for x, _ in pairs)
    assert LAYOUT.count(contents[0], ReadRequest(WINDOW, 1, min_context), WRITTEN) == expected


def test_rows_are_extracted_in_any_order_and_each_starts_a_document_or_continues_one(contents):
    rows = LAYOUT.load_rows(contents, np.arange(11), ReadRequest(WINDOW, 1, rows=True), WRITTEN)
    assert rows.starts_document.tolist() == [index in (0, 2, 3) for index in range(11)]
    x, y = np.empty((4, WINDOW), np.int32), np.empty((4, WINDOW), np.int32)
    rows.extract(np.array([1, 2, 3, 10]), x, y)
    # The third document's 21 targets are in spans of 8, 8 and 5.
    assert x.tolist() == [[6, 7, 0], [2, 0, 0], [2, 10, 11], [28, 29, 0]]
    assert y.tolist() == [[7, 3, 0], [3, 0, 0], [10, 11, 12], [29, 3, 0]]


@pytest.mark.parametrize(("window", "rows"), [(1, 27), (3, 11), (8, 5), (100, 5)])
def test_rows_are_counted(contents, window, rows):
    assert LAYOUT.count(contents[0], ReadRequest(window, 1, rows=True), WRITTEN) == rows


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (ReadRequest(257, 1), r"window is 257; it must be from 1 to 256"),
        (ReadRequest(0, 1, rows=True), r"window is 0; it must be from 1 to 8\."),
        (ReadRequest(9, 1, rows=True), r"window is 9; it must be from 1 to 8\."),
    ],
)
def test_a_window_that_the_spans_do_not_hold_is_an_error(request_, message):
    with pytest.raises(UserError, match=message):
        LAYOUT.check(request_, WRITTEN)


def test_rows_need_every_target():
    with pytest.raises(UserError, match=r"stride of this dataset is 2; rows .* --layout spans --stride 1\."):
        LAYOUT.check(ReadRequest(3, 2, rows=True), RecordFormat(3, 2, 30))
