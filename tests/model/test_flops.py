import pytest

from textgen.config import ModelConfig
from textgen.model import networks
from textgen.model.flops import matrix_weights, training_flops


def test_the_cost_worked_out_by_hand():
    # 2 directions, 3 tokens, 4 gates of 5 units from 2 + 5 numbers; 11 logits from 10; twice, and three times that.
    assert training_flops(ModelConfig(embedding=2, layers=1, units=5), vocabulary_size=11, window=3) == 6 * (
        2 * 3 * 4 * 5 * 7 + 110
    )


def test_the_notebook_s_model_costs_what_was_measured_of_it():
    config = ModelConfig(embedding=8, layers=3, units=50)
    assert round(training_flops(config, vocabulary_size=500, window=44) / 1e6) == 38


def test_layers_may_differ_and_directions_merge():
    one = ModelConfig(embedding=2, layers=2, units=(5, 3))
    first, logits = 2 * 3 * 4 * 5 * 7, 6 * 11
    assert training_flops(one, vocabulary_size=11, window=3) == 6 * (first + 2 * 3 * 4 * 3 * (10 + 3) + logits)
    summed = ModelConfig(embedding=2, layers=2, units=(5, 3), merge="sum")
    assert training_flops(summed, vocabulary_size=11, window=3) == 6 * (first + 2 * 3 * 4 * 3 * (5 + 3) + 3 * 11)


def test_an_lstm_pays_a_token_a_target():
    config = ModelConfig(network="lstm", embedding=2, units=5, tied=True)
    assert training_flops(config, vocabulary_size=11, window=99) == 6 * (4 * 5 * 7 + 5 * 2 + 2 * 11)


@pytest.mark.parametrize(
    "settings",
    [
        {"units": 5, "layers": 2},
        {"units": (5, 3), "layers": 2, "merge": "sum", "tied": True},
        {"units": 2, "embedding": 4, "tied": True},
        {"network": "lstm", "units": (5, 3), "layers": 2, "tied": True},
        {"network": "lstm", "units": 5},
    ],
)
def test_the_weights_are_those_of_the_network_without_biases(settings: dict):
    config = ModelConfig(**{"embedding": 3, **settings})
    model = networks.build(config, vocabulary_size=11, window=4)
    matrices = sum(w.shape.num_elements() for w in model.trainable_variables if len(w.shape) > 1)
    assert matrix_weights(config, vocabulary_size=11) == matrices
