from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MakeDataset
from textgen.config import BOS, EOS
from textgen.dataset import read_manifest
from textgen.dataset.storage.restored_text import not_restorable, read_restored
from textgen.errors import UserError

DOCUMENTS = [[4, 5, 1, 6], [7], [8, 9]]


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_every_id_of_a_split_is_read_once_in_order(make_dataset: MakeDataset, tmp_path: Path, layout: str):
    data = make_dataset(tmp_path / "data", train=DOCUMENTS, test=[[9]], layout=layout)
    blocks = list(read_restored(data, read_manifest(data), "train"))
    expected = [[BOS, *document, EOS] for document in DOCUMENTS]
    assert np.concatenate([block.ids for block in blocks]).tolist() == sum(expected, [])
    (block,) = blocks
    assert block.starts.tolist() == [0, 6, 9]
    assert list(read_restored(data, read_manifest(data), "validation")) == []


def test_what_a_dataset_does_not_hold_is_said(make_dataset: MakeDataset, tmp_path: Path):
    sparse = make_dataset(tmp_path / "sparse", train=DOCUMENTS, window=2, stride=3)
    narrow = make_dataset(tmp_path / "narrow", train=DOCUMENTS, window=1)
    whole = make_dataset(tmp_path / "whole", train=DOCUMENTS, window=2, stride=2)
    assert not_restorable(read_manifest(sparse)) == "the stride, 3, leaves out tokens, as it is above the window, 2"
    assert "windows of 1 token" in not_restorable(read_manifest(narrow))
    assert not_restorable(read_manifest(whole)) == ""


def test_a_missing_shard_is_an_error(make_dataset: MakeDataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=DOCUMENTS)
    (data / "train-000000.tfrecord").unlink()
    with pytest.raises(UserError, match=r"train-000000\.tfrecord cannot be read"):
        list(read_restored(data, read_manifest(data), "train"))
