import threading
import time

import numpy as np
import pytest

from textgen.dataset.loading import shuffle_groups
from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.shuffled_split import ShuffledSplit
from textgen.dataset.loading.split_reader import SplitReader
from textgen.dataset.loading.tuning import Tuning
from textgen.dataset.storage.manifest import read_manifest
from textgen.errors import UserError
from textgen.folder import Folder

DOCUMENTS = [list(range(4, 34)), list(range(50, 62)), list(range(70, 79))]
PAIRS = sum(len(document) + 1 for document in DOCUMENTS)


@pytest.fixture
def folder(build_dataset, tmp_path):
    return build_dataset(tmp_path / "data", [{"train": DOCUMENTS}], layout="spans", block_pairs=8)


def opened(folder, seed=1):
    reader = SplitReader(Folder(folder), read_manifest(folder), "train", LoadOptions(), compact=False)
    return ShuffledSplit(reader, seed=seed, tuning=Tuning(group_blocks=2))


def targets(source, positions):
    x, y = np.empty((len(positions), 3), np.int32), np.empty(len(positions), np.int32)
    source.read(np.array(positions), x, y, end=10 * PAIRS)
    return y.tolist()


def test_positions_continue_from_epoch_to_epoch(folder):
    source = opened(folder)
    assert source.reader.pairs == PAIRS
    one, two = targets(source, range(PAIRS)), targets(source, range(PAIRS, 2 * PAIRS))
    assert sorted(one) == sorted(two)
    assert one != two
    assert targets(source, [3, PAIRS - 1, PAIRS, PAIRS + 4]) == [one[3], one[-1], two[0], two[4]]


def test_no_positions_read_nothing(folder):
    assert targets(opened(folder), []) == []


def test_nothing_after_the_end_is_read_ahead(folder, monkeypatch):
    loaded = []
    real = ShuffledSplit._load
    monkeypatch.setattr(ShuffledSplit, "_load", lambda self, key: loaded.append(key) or real(self, key))
    opened(folder).read(np.arange(2), np.empty((2, 3), int), np.empty(2, int), end=5)
    assert loaded == [(0, 0, 0, 5)]


def test_any_part_of_the_stream_is_read_from_the_blocks_that_it_needs(folder, monkeypatch):
    expected, read = targets(opened(folder), range(2 * PAIRS)), []
    real = SplitReader.read_pairs
    monkeypatch.setattr(
        SplitReader, "read_pairs", lambda self, blocks, order: read.append(len(blocks)) or real(self, blocks, order)
    )
    for start in range(PAIRS - 3, PAIRS + 20):
        for end in (start + 1, start + 9, start + 17):
            positions = np.arange(start, end)
            y = np.empty(len(positions), np.int32)
            opened(folder).read(positions, np.empty((len(positions), 3), np.int32), y, start=start, end=end)
            assert y.tolist() == expected[start:end]
    assert 1 in read


def test_the_next_group_is_read_ahead_and_few_are_kept(folder, monkeypatch):
    loaded, ahead = [], threading.Event()
    real = ShuffledSplit._load

    def load(self, key):
        loaded.append(key)
        if key[:2] == (0, 1):
            ahead.set()
        return real(self, key)

    monkeypatch.setattr(ShuffledSplit, "_load", load)
    source = opened(folder)
    targets(source, [0])
    assert ahead.wait(10)
    targets(source, range(2 * PAIRS))
    assert len(loaded) == len(set(loaded))
    assert len(source._groups._groups) <= shuffle_groups._GROUPS_KEPT


def test_a_group_that_failed_to_load_is_loaded_again_on_demand(folder):
    path = folder / "train-000000.tfrecord"
    content = path.read_bytes()
    path.write_bytes(content[:30])
    source = opened(folder, seed=None)
    with pytest.raises(UserError, match="differs from the manifest"):
        targets(source, [0])
    path.write_bytes(content)
    assert targets(source, [0, 1]) == [4, 5]


def test_released_groups_are_loaded_again_and_threads_end(folder):
    source, threads = opened(folder), threading.active_count()
    expected = targets(source, range(PAIRS))
    source.release()
    assert not source._groups._groups
    assert targets(source, range(PAIRS)) == expected
    for _ in range(100):
        if threading.active_count() == threads:
            break
        time.sleep(0.05)
    assert threading.active_count() == threads


def test_several_threads_read_one_source(folder):
    source, expected = opened(folder), targets(opened(folder), range(3 * PAIRS))
    found = {}

    def read(start):
        found[start] = targets(source, range(start, start + 10))

    threads = [threading.Thread(target=read, args=(start,)) for start in range(0, 3 * PAIRS - 10, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[start] == expected[start : start + 10] for start in found)
