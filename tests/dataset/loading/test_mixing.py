from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MakeDataset
from textgen.dataset import read_pairs
from textgen.dataset.loading.mixing import Mixing, first_positions


@pytest.mark.parametrize("count", [7, 10_000])
def test_the_positions_are_those_of_the_pairs_that_are_served(make_dataset: MakeDataset, tmp_path: Path, count: int):
    random = np.random.RandomState(0)
    documents = [random.randint(4, 20, 30).tolist() for _ in range(20)]
    data = make_dataset(tmp_path / "data", train=documents, layout="spans")
    found = first_positions(str(data), seed=3, count=count)
    served, in_order = (
        np.concatenate([np.hstack([x, y[:, None]]) for x, y in pairs.as_numpy_iterator()])
        for pairs in (read_pairs(data, batch_size=64, seed=3), read_pairs(data, batch_size=64))
    )
    assert (in_order[found.positions] == served[:count]).all()
    assert found.pairs == len(in_order) == 20 * 31
    assert len(found.positions) == min(count, found.pairs)


def test_near_pairs_share_tokens():
    mixing = Mixing(np.array([0, 50, 3, 90, 10, 20, 30, 40, 7]), pairs=100, blocks=1, group_blocks=1)
    # Of the batch 0, 50, 3, 90 two are near; of 10, 20, 30, 40 none; 7 is in no whole batch.
    assert mixing.near_share(4, window=5) == 2 / 8
    assert mixing.near_share(100, window=5) is None
    assert mixing.near_share(1, window=5) is None


def test_random_batches_have_as_many_near_pairs_as_expected():
    pairs = 5000
    drawn = np.concatenate([np.random.RandomState(i).choice(pairs, 100, replace=False) for i in range(100)])
    mixing = Mixing(drawn, pairs=pairs, blocks=1, group_blocks=1)
    assert mixing.near_share(100, window=9) == pytest.approx(mixing.random_share(100, window=9), abs=0.02)
