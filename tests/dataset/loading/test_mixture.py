import functools
import os

import pytest

from textgen import dataset
from textgen.dataset.loading.tuning import Tuning
from textgen.errors import UserError

WINDOW = 3
UNITS = [{"train": [list(range(4, 34)), [40], [7, 7, 7]]}, {"train": [list(range(50, 62))]}]


read_pairs = functools.partial(dataset.read_pairs, tuning=Tuning(chunk_pairs=20))


@pytest.fixture(scope="module")
def folders(build_dataset, tmp_path_factory):
    root = tmp_path_factory.mktemp("datasets")
    return {
        layout: build_dataset(root / layout, UNITS, layout=layout, window=WINDOW, block_pairs=8)
        for layout in ("pairs", "spans")
    }


def batches(data, **settings):
    return [(x.tolist(), y.tolist()) for x, y in read_pairs(data, **settings).as_numpy_iterator()]


def pairs_of(batches):
    return [(row, target) for x, y in batches for row, target in zip(x, y, strict=True)]


@pytest.fixture(scope="module")
def mixed(build_dataset, tmp_path_factory):
    root = tmp_path_factory.mktemp("mixed")
    lows, highs = ([{"train": [list(range(first, first + 39))]}] for first in (100, 200))
    for name, units in (("low", lows), ("high", highs)):
        build_dataset(root / name, units, layout="spans", window=WINDOW)
    return root


class Bucket(os.PathLike):
    """A path of another library, as `upath` and `cloudpathlib` have them."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


@pytest.mark.parametrize("path", [str, Bucket])
def test_a_dataset_is_named_by_any_path(mixed, path):
    once = batches(path(mixed / "low"), batch_size=20)
    assert once == batches(mixed / "low", batch_size=20)
    weighted = batches({path(mixed / "low"): 3, path(mixed / "high"): 1}, batch_size=10, seed=1)
    assert weighted == batches({mixed / "low": 3, mixed / "high": 1}, batch_size=10, seed=1)
    assert dataset.read_manifest(path(mixed / "low")) == dataset.read_manifest(mixed / "low")
    assert dataset.verify(path(mixed / "low")) == dataset.verify(mixed / "low")


def test_a_dataset_is_named_once_however_its_path_is_given(mixed):
    with pytest.raises(UserError, match=r"is given twice; a dataset has one weight\. Name it once\."):
        dataset.read_pairs({mixed / "low": 3, str(mixed / "low"): 1}, batch_size=10)


def is_high(x, y):
    return max(*x, y) >= 200


def test_each_batch_of_a_mixture_holds_pairs_by_their_weights(mixed):
    served = batches({mixed / "low": 3, mixed / "high": 1}, batch_size=10, seed=1)
    assert len(served) == 8
    high = [sum(map(is_high, x, y)) for x, y in served]
    assert set(high) == {2, 3}
    assert sum(high) == 20
    # The order within a batch is mixed.
    orders = [list(map(is_high, x, y)) for x, y in served]
    assert any(order != sorted(order) for order in orders)


def test_each_dataset_of_a_mixture_is_served_whole_before_it_repeats(mixed):
    served = pairs_of(batches({mixed / "low": 3, mixed / "high": 1}, batch_size=10, seed=1, epochs=2))
    low = [str(pair) for pair in served if not is_high(*pair)]
    once = sorted(str(pair) for pair in pairs_of(batches(mixed / "low", batch_size=40)))
    assert [sorted(low[start : start + 40]) for start in (0, 40, 80)] == 3 * [once]
    assert len(set(map(str, served)) - set(low)) == 40


@pytest.mark.parametrize("start", [1, 5, 8, 15])
def test_mixture_resumes_and_is_sliced_like_one_dataset(mixed, start):
    mixture = {mixed / "low": 3, mixed / "high": 1}
    whole = batches(mixture, batch_size=10, seed=1, epochs=2)
    assert batches(mixture, batch_size=10, seed=1, epochs=2, start_step=start) == whole[start:]
    halves = [
        batches(mixture, batch_size=10, seed=1, epochs=2, start_step=start, worker=i, workers=3) for i in range(3)
    ]
    assert [sum((y for _, y in parts), []) for parts in zip(*halves, strict=True)] == [y for _, y in whole[start:]]


def test_datasets_whose_ids_differ_are_not_mixed(build_dataset, folders, tmp_path):
    other = build_dataset(tmp_path / "other", UNITS, layout="spans", window=WINDOW, vocabulary_size=900)
    with pytest.raises(UserError, match=r"differ in their vocabulary; .* --vocabulary .*spans/vocabulary\.jsonl"):
        read_pairs({folders["spans"]: 1, other: 1}, batch_size=7)


def test_both_layouts_mix(folders):
    served = batches({folders["spans"]: 1, folders["pairs"]: 1}, seed=1, batch_size=10)
    assert sorted(map(str, pairs_of(served))) == sorted(
        2 * list(map(str, pairs_of(batches(folders["spans"], batch_size=7))))
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": 0.0}, r"the weight of a is 0\.0; it must be above 0\."),
        ({}, r"no dataset is given; name at least one\."),
    ],
)
def test_bad_weights_are_an_error(weights, message):
    with pytest.raises(UserError, match=message):
        read_pairs(weights, batch_size=8)
