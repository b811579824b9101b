import numpy as np
import pytest

from textgen.config import ModelConfig
from textgen.config.training import CAUSAL
from textgen.model import networks


def test_every_network_of_the_settings_is_in_the_table():
    assert set(networks.NETWORKS) == set(CAUSAL)


@pytest.mark.parametrize("network", CAUSAL)
def test_a_network_is_built_by_its_name(network: str):
    config = ModelConfig(network=network, embedding=3, units=4)
    model = networks.build(config, vocabulary_size=20, window=5)
    assert type(model) is networks.NETWORKS[network]
    assert (model.name, model.config, model.vocabulary_size, model.window) == (network, config, 20, 5)
    assert bool(model.state_widths) == config.causal


@pytest.mark.parametrize("network", CAUSAL)
def test_products_are_counted_as_the_layers_have_them(network: str):
    config = ModelConfig(network=network, embedding=3, layers=2, units=(4, 5))
    model = networks.build(config, vocabulary_size=20, window=7)
    sizes = [int(np.prod(weight.shape)) for lstm in model.lstms for weight in lstm.weights if len(weight.shape) == 2]
    tokens = 1 if config.causal else 7
    assert type(model).count_products(config, window=7) == (tokens * sum(sizes), model.hidden_size)
