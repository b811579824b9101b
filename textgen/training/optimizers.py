"""Optimizers of training."""

import keras

from textgen.config import TrainConfig


def make_optimizer(
    config: TrainConfig, model: keras.Model, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule
) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a config, with the slot variables that a checkpoint restores."""
    shared = {"learning_rate": learning_rate, "weight_decay": config.weight_decay or None}
    if config.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(momentum=config.momentum, **shared)
    else:
        kinds = {
            "adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW, "rmsprop": keras.optimizers.RMSprop,
        }  # fmt: skip
        optimizer = kinds[config.optimizer](**shared)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(model.trainable_variables)
    return optimizer
