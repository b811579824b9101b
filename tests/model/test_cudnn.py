from types import SimpleNamespace

import keras
import numpy as np
import pytest

from textgen.config import ModelConfig
from textgen.model import cudnn, networks


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(embedding=4, units=(4, 3), layers=2, merge="sum", dropout=0.5),
        ModelConfig(embedding=4, units=4, pooling="attention", tied=True),
        ModelConfig(network="lstm", embedding=4, units=4, layers=2, tied=True),
    ],
)
def test_no_network_that_can_be_configured_leaves_cudnn(config: ModelConfig, precision: str):
    model = networks.build(config, vocabulary_size=20, window=5, precision=precision)
    assert cudnn.obstacles(model) == []


def test_what_would_leave_it_is_named():
    lstms = [
        keras.layers.LSTM(2, activation="relu", name="a"),
        keras.layers.LSTM(2, recurrent_activation="tanh", name="b"),
        keras.layers.LSTM(2, recurrent_dropout=0.1, name="c"),
        keras.layers.LSTM(2, unroll=True, name="d"),
        keras.layers.LSTM(2, use_bias=False, name="e"),
        keras.layers.LSTM(2, use_cudnn=False, name="f"),
    ]
    assert cudnn.obstacles(SimpleNamespace(lstms=lstms)) == [
        "a: its activation is relu, not tanh", "b: its recurrent activation is tanh, not sigmoid",
        "c: its recurrent dropout is 0.1, not 0", "d: it is unrolled", "e: it has no bias", "f: use_cudnn is off",
    ]  # fmt: skip


def test_a_network_without_lstms_is_not_said_to_run_in_cudnn():
    found = cudnn.obstacles(SimpleNamespace(lstms=[], name="gru"))
    assert found == ["gru: it has no LSTM layers, and only LSTM layers can be checked"]


def test_a_batch_padded_on_the_right_is_taken():
    assert cudnn.faults(np.array([[2, 0, 0], [2, 5, 0], [4, 5, 6]])) == []


@pytest.mark.parametrize(
    ("x", "fault"),
    [
        ([[4, 5], [0, 0]], "row 1 is wholly padding; each must have a token"),
        ([[4, 5], [0, 5]], "row 1 has padding before a token; rows must be padded on the right"),
        ([[4, 0, 6], [4, 5, 0]], "row 0 has padding before a token; rows must be padded on the right"),
    ],
)
def test_a_batch_that_is_not_is_told(x: list[list[int]], fault: str):
    assert cudnn.faults(np.array(x)) == [fault]
