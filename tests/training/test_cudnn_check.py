import numpy as np
import pytest

from textgen.config import ModelConfig, TrainConfig
from textgen.model import cudnn
from textgen.training.cudnn_check import obstacles


@pytest.fixture
def data(make_dataset, tmp_path):
    return make_dataset(tmp_path / "data", train=[[4, 5, 6, 7, 8] * 20])


def check(data, **model):
    return obstacles(data, model=ModelConfig(embedding=4, units=4, **model), train=TrainConfig(batch_size=4))


@pytest.mark.parametrize("pooling", ["last", "attention"])
def test_a_network_and_its_batches_run_in_cudnn(data, pooling):
    assert check(data, pooling=pooling) == []


def test_each_reason_is_given_once(data, monkeypatch):
    monkeypatch.setattr(cudnn, "obstacles", lambda model: ["lstm: it is unrolled"])
    masks = []
    monkeypatch.setattr(cudnn, "faults", lambda x: masks.append(x) or ["a row is empty"])
    assert check(data) == ["lstm: it is unrolled", "a row is empty"]
    assert len(masks) > 1 and all(isinstance(x, np.ndarray) for x in masks)
