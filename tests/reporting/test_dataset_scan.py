from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import MakeDataset
from textgen.config import BOS, EOS, UNK
from textgen.dataset import read_manifest
from textgen.dataset.storage.records import RestoredIds
from textgen.reporting import dataset_scan
from textgen.reporting.dataset_scan import scan

documents = st.lists(st.lists(st.sampled_from([1, 4, 5]), min_size=1, max_size=9), min_size=1, max_size=9)


@given(documents, st.lists(st.integers(1, 60), max_size=4), st.booleans())
@settings(max_examples=80, deadline=None)
def test_lengths_do_not_depend_on_blocks(texts: list[list[int]], cuts: list[int], boundaries: bool):
    wrapped = [[BOS, *text, EOS] if boundaries else text for text in texts]
    ids = np.array(sum(wrapped, []), np.int64)
    starts = np.cumsum([0, *map(len, wrapped)])[:-1]
    edges = sorted({0, len(ids), *(cut for cut in cuts if cut < len(ids))})
    lengths = dataset_scan._Lengths()
    for a, b in zip(edges, edges[1:], strict=False):
        lengths.read(RestoredIds(ids[a:b], starts[(starts >= a) & (starts < b)] - a))
    assert lengths.end() == Counter(map(len, texts))


def test_a_dataset_is_read_by_splits(make_dataset: MakeDataset, tmp_path: Path):
    train = [[4, 5, UNK, 6], [7, 8], [4, 5, UNK, 6], [7, 8], [7, 8]]
    data = make_dataset(tmp_path / "data", train=train, test=[[9, 10]])
    found = scan(data, read_manifest(data))
    assert list(found) == ["train", "test"]
    assert found["train"].lengths == {4: 2, 2: 3}
    assert (found["train"].compared, found["train"].repeated) == (5, 3)
    assert (found["test"].compared, found["test"].repeated) == (1, 0)
    assert {tuple(map(tuple, passage)) for passage in found["train"].unknown} == {((4, 5), (6,))}
    assert found["test"].unknown == []


def test_an_unknown_token_is_shown_with_its_neighbours_in_the_document():
    ids = np.array([BOS, *range(10, 30), UNK, 40, UNK, 41, EOS, BOS, 50])
    passage = dataset_scan._passage(ids, 21)
    assert passage.before == list(range(22, 30))
    assert passage.after == [40, UNK, 41]
    assert dataset_scan._passage(np.array([BOS, UNK, EOS]), 1) == ([], [])


def test_of_too_many_documents_a_sample_is_compared(make_dataset: MakeDataset, tmp_path: Path, monkeypatch):
    random = np.random.RandomState(0)
    texts = [random.randint(4, 20, 12).tolist() for _ in range(400)]
    data = make_dataset(tmp_path / "data", train=texts + texts[:200])
    monkeypatch.setattr(dataset_scan, "_MAX_HASHES", 50)
    found = scan(data, read_manifest(data))["train"]
    assert 0 < found.compared < 600
    assert found.repeated / found.compared == pytest.approx(1 / 3, abs=0.2)
