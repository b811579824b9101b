import numpy as np
import pytest

from tests.dataset.block_contents import content_of
from textgen.dataset.storage import windows
from textgen.dataset.storage.layouts.pairs import Pairs
from textgen.dataset.storage.records import ReadRequest, RecordFormat
from textgen.errors import UserError

WINDOW = 3
DOCUMENTS = [[2, 4, 5, 6, 7, 3], [2, 3], [2, *range(10, 30), 3]]
WRITTEN = RecordFormat(WINDOW, 1, 30)
LAYOUT = Pairs()


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


def test_records_are_counted(contents, pairs):
    assert sum(LAYOUT.count(content, ReadRequest(WINDOW, 1), WRITTEN) for content in contents) == len(pairs)


@pytest.mark.parametrize("wanted", [ReadRequest(2, 1), ReadRequest(3, 2), ReadRequest(3, 1, 2)])
def test_windows_are_fixed(wanted):
    with pytest.raises(UserError, match=r"layout fixed them as 3, 1 and 1\. Prepare with --layout spans"):
        LAYOUT.check(wanted, WRITTEN)


def test_there_are_no_rows_of_targets(contents):
    message = r"layout of this dataset is pairs, .* --layout spans --stride 1\."
    with pytest.raises(UserError, match=message):
        LAYOUT.check(ReadRequest(3, 1, rows=True), WRITTEN)
    with pytest.raises(UserError, match=message):
        LAYOUT.load_rows(contents, np.arange(3), ReadRequest(3, 1, rows=True), WRITTEN)
