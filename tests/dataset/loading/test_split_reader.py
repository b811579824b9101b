import numpy as np
import pytest

from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.split_reader import SplitReader
from textgen.dataset.storage.layouts.pairs import ParsedPairs
from textgen.dataset.storage.layouts.spans import SpanRows
from textgen.dataset.storage.layouts.window_pairs import WindowPairs
from textgen.dataset.storage.manifest import read_manifest
from textgen.errors import UserError
from textgen.folder import Folder

DOCUMENTS = [list(range(4, 34)), list(range(50, 62)), list(range(70, 79))]
PAIRS = sum(len(document) + 1 for document in DOCUMENTS)


@pytest.fixture
def opened(build_dataset, tmp_path):
    def open_one(options=None, layout="spans", compact=False):
        folder = tmp_path / layout
        if not folder.exists():
            build_dataset(folder, [{"train": DOCUMENTS}], layout=layout, block_pairs=8)
        options = options or LoadOptions()
        return SplitReader(Folder(folder), read_manifest(folder), "train", options, compact=compact)

    return open_one


@pytest.mark.parametrize(("layout", "kind"), [("pairs", ParsedPairs), ("spans", WindowPairs)])
def test_pairs_are_read_in_the_given_order(opened, layout, kind):
    reader = opened(layout=layout)
    assert (reader.pairs, reader.y_shape, reader.dtype) == (PAIRS, (), np.int32)
    which = np.arange(len(reader.blocks.locations))
    group = reader.read_pairs(which, np.arange(PAIRS)[::-1])
    assert isinstance(group, kind)
    x, y = np.empty((2, 3), int), np.empty(2, int)
    group.extract(slice(0, 2), x, y)
    assert (x.tolist(), y.tolist()) == ([[76, 77, 78], [75, 76, 77]], [3, 78])


def test_rows_are_counted_and_read(opened):
    reader = opened(LoadOptions(rows=True))
    # Of 31, 13 and 10 targets, three a row.
    assert (reader.pairs, reader.y_shape) == (11 + 5 + 4, (3,))
    assert isinstance(reader.read_pairs(np.array([0]), np.arange(reader.blocks.pairs[0])), SpanRows)


def test_ids_keep_their_dtype_where_they_are_wanted_compact(opened):
    assert opened(compact=True).dtype == np.uint16


def test_targets_with_little_context_are_counted_out(opened):
    assert opened(LoadOptions(min_context=3)).pairs == PAIRS - 2 * len(DOCUMENTS)


def test_a_damaged_shard_is_an_error_when_its_rows_are_counted(opened, tmp_path):
    opened()
    path = tmp_path / "spans" / "train-000000.tfrecord"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="differs from the manifest"):
        opened(LoadOptions(rows=True))
