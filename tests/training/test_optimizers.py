import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.model import networks
from textgen.training.optimizers import make_optimizer


@pytest.fixture
def model() -> keras.Model:
    return networks.build(ModelConfig(embedding=4, units=4), vocabulary_size=20, window=5)


@pytest.mark.parametrize(
    ("name", "kind", "slots_a_weight"),
    [("adam", keras.optimizers.Adam, 2), ("rmsprop", keras.optimizers.RMSprop, 1), ("sgd", keras.optimizers.SGD, 0)],
)
def test_the_optimizer_named_has_its_slots_and_its_learning_rate(model, name: str, kind: type, slots_a_weight: int):
    optimizer = make_optimizer(TrainConfig(optimizer=name, learning_rate=0.25), model)
    assert type(optimizer) is kind
    assert float(optimizer.learning_rate) == 0.25
    # Two more are the iterations and the learning rate.
    assert len(optimizer.variables) == 2 + slots_a_weight * len(model.trainable_variables)


def test_sgd_subtracts_the_gradient_times_the_learning_rate(model):
    optimizer = make_optimizer(TrainConfig(optimizer="sgd", learning_rate=0.5), model)
    before = model.get_layer("logits").kernel.numpy()
    optimizer.apply([tf.ones(weight.shape) for weight in model.trainable_variables])
    np.testing.assert_allclose(model.get_layer("logits").kernel, before - 0.5, atol=1e-6)
