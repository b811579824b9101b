import numpy as np
import pytest

from textgen.dataset.loading.read_options import Choice
from textgen.dataset.loading.shuffle_groups import PairGroup, RowGroup, SpanGroup
from textgen.dataset.loading.split_reader import Stock
from textgen.dataset.storage.manifest import read_manifest
from textgen.errors import UserError
from textgen.files import Folder

DOCUMENTS = [list(range(4, 34)), list(range(50, 62)), list(range(70, 79))]
PAIRS = sum(len(document) + 1 for document in DOCUMENTS)


@pytest.fixture
def opened(build_dataset, tmp_path):
    def open_one(choice=None, layout="spans", compact=False):
        folder = tmp_path / layout
        if not folder.exists():
            build_dataset(folder, [{"train": DOCUMENTS}], layout=layout, block_pairs=8)
        choice = choice or Choice()
        return Stock(Folder(folder), read_manifest(folder), "train", choice, compact=compact)

    return open_one


@pytest.mark.parametrize(("layout", "kind"), [("pairs", PairGroup), ("spans", SpanGroup)])
def test_pairs_are_read_in_the_order_asked_for(opened, layout, kind):
    stock = opened(layout=layout)
    assert (stock.pairs, stock.y_shape, stock.dtype) == (PAIRS, (), np.int32)
    which = np.arange(len(stock.blocks.places))
    group = stock.read(which, np.arange(PAIRS)[::-1])
    assert isinstance(group, kind)
    x, y = np.empty((2, 3), int), np.empty(2, int)
    group.cut(slice(0, 2), x, y)
    assert (x.tolist(), y.tolist()) == ([[76, 77, 78], [75, 76, 77]], [3, 78])


def test_rows_are_counted_and_read(opened):
    stock = opened(Choice(rows=True))
    # Of 31, 13 and 10 targets, three a row.
    assert (stock.pairs, stock.y_shape) == (11 + 5 + 4, (3,))
    assert isinstance(stock.read(np.array([0]), np.arange(stock.blocks.pairs[0])), RowGroup)


def test_ids_keep_their_dtype_where_they_are_wanted_compact(opened):
    assert opened(compact=True).dtype == np.uint16


def test_targets_with_little_context_are_counted_out(opened):
    assert opened(Choice(min_context=3)).pairs == PAIRS - 2 * len(DOCUMENTS)


def test_a_damaged_shard_is_told_when_its_rows_are_counted(opened, tmp_path):
    opened()
    path = tmp_path / "spans" / "train-000000.tfrecord"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="differs from the manifest"):
        opened(Choice(rows=True))
