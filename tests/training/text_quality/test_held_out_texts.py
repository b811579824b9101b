from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MakeDataset
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.training.text_quality.held_out_texts import equal_amounts, sample_texts

LONG, SHORT, UNKNOWN = [*range(4, 16)], [16, 17], [18, 1, 19]


@pytest.fixture(scope="module")
def data(make_dataset: MakeDataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("held_out") / "data"
    return make_dataset(folder, train=[[4]], test=[LONG, SHORT, UNKNOWN], layout="spans")


def _sample(data: Path, **settings) -> list[list[int]]:
    wanted = {"count": 10, "tokens": 5, "seed": 0, **settings}
    return [text.tolist() for text in sample_texts(data, read_manifest(data), "test", **wanted)]


def test_beginnings_come_first_and_then_further_stretches(data: Path):
    found = _sample(data)
    assert sorted(found[:3]) == sorted([LONG[:5], SHORT, UNKNOWN])
    # The last two tokens of the long document are less than half of a stretch.
    assert found[3:] == [LONG[5:10]]
    assert sorted(_sample(data, beginnings=True)) == sorted([LONG[:5], SHORT, UNKNOWN])


def test_the_rest_of_a_document_is_a_stretch_if_it_is_long_enough(data: Path):
    assert LONG[8:] in _sample(data, tokens=8)


def test_a_sample_is_random_and_reproducible(data: Path):
    orders = {tuple(map(tuple, _sample(data, count=2, seed=seed))) for seed in range(20)}
    assert len(orders) > 2
    assert all(len(order) == 2 for order in orders)
    assert _sample(data, count=2, seed=3) == _sample(data, count=2, seed=3)


def test_equal_amounts_are_equal_up_to_rounding():
    random = np.random.RandomState(0)
    first, second = ([np.arange(n) for n in random.randint(1, most, 40)] for most in (200, 90))
    ours, theirs = equal_amounts(first, second[:30])
    assert len(ours) == len(theirs) == 30
    assert [len(text) for text in theirs] == [len(text) for text in second[:30]]
    assert sum(map(len, ours)) == pytest.approx(sum(map(len, theirs)), rel=0.02)


def test_a_dataset_that_leaves_out_tokens_is_refused(make_dataset: MakeDataset, tmp_path: Path):
    sparse = make_dataset(tmp_path / "data", train=[LONG], test=[LONG], window=2, stride=3)
    with pytest.raises(UserError, match=r"leaves out tokens.* Prepare it with --stride 1 and --layout spans"):
        _sample(sparse)
