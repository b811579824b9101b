from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.model import networks
from textgen.training.learning_rates import LearningRate
from textgen.training.optimizers import make_optimizer


@pytest.fixture
def model() -> keras.Model:
    return networks.build(ModelConfig(embedding=4, units=4), vocabulary_size=20, window=5)


def _make(model: keras.Model, **settings: Any) -> keras.optimizers.Optimizer:
    config = TrainConfig(**settings)
    return make_optimizer(config, model, LearningRate(config, last_step=10))


@pytest.mark.parametrize(
    ("settings", "kind", "slots_a_weight"),
    [
        ({"optimizer": "adam"}, keras.optimizers.Adam, 2),
        ({"optimizer": "adamw", "weight_decay": 0.1}, keras.optimizers.AdamW, 2),
        ({"optimizer": "rmsprop"}, keras.optimizers.RMSprop, 1),
        ({"optimizer": "sgd"}, keras.optimizers.SGD, 0),
        ({"optimizer": "sgd", "momentum": 0.9}, keras.optimizers.SGD, 1),
    ],
)
def test_the_optimizer_named_has_its_slots_and_its_learning_rate(
    model, settings: dict[str, Any], kind: type, slots_a_weight: int
):
    optimizer = _make(model, learning_rate=0.25, **settings)
    assert type(optimizer) is kind
    assert float(optimizer.learning_rate) == 0.25
    # One more is the iterations.
    assert len(optimizer.variables) == 1 + slots_a_weight * len(model.trainable_variables)


def test_sgd_subtracts_the_gradient_times_the_learning_rate(model):
    optimizer = _make(model, optimizer="sgd", learning_rate=0.5)
    before = model.head.table.numpy()
    optimizer.apply([tf.ones(weight.shape) for weight in model.trainable_variables])
    np.testing.assert_allclose(model.head.table, before - 0.5, atol=1e-6)


def test_weights_decay_by_their_own_size_and_biases_do_not(model):
    optimizer = _make(model, optimizer="sgd", learning_rate=0.5, weight_decay=0.1)
    logits = model.head
    logits.bias.assign(tf.ones(20))
    table = logits.table.numpy()
    optimizer.apply([tf.zeros(weight.shape) for weight in model.trainable_variables])
    np.testing.assert_allclose(logits.table, table * (1 - 0.5 * 0.1), rtol=1e-6)
    np.testing.assert_array_equal(logits.bias, np.ones(20))
