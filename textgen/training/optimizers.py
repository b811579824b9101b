"""The optimizer that a config names."""

import keras

from textgen.config import TrainConfig

_OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def make_optimizer(config: TrainConfig, model: keras.Model) -> keras.optimizers.Optimizer:
    """The optimizer with its slots made, so that a checkpoint finds them."""
    optimizer = _OPTIMIZERS[config.optimizer](learning_rate=config.learning_rate)
    optimizer.build(model.trainable_variables)
    return optimizer
