"""Trains the same steps on one device and on two logical CPU devices; prints both outcomes as JSON."""

import json
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.model import networks
from textgen.training.optimizers import make_optimizer
from textgen.training.step import measuring_steps, training_steps
from textgen.training.strategy import distribute

BATCH, STEPS = 6, 5
# The last batch has one pair, so one of the two replicas has none.
PAIRS = (STEPS - 1) * BATCH + 1


def _dataset() -> tf.data.Dataset:
    random = np.random.RandomState(0)
    x = random.randint(4, 20, [PAIRS, 5]).astype(np.int32)
    for row, width in zip(x, random.randint(1, 6, PAIRS), strict=True):
        row[width:] = 0
    y = random.randint(3, 20, PAIRS).astype(np.int32)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)


def _values(model: keras.Model) -> list[Any]:
    return [weight.numpy().tolist() for weight in model.trainable_variables]


def _outcome(strategy: tf.distribute.Strategy) -> dict[str, Any]:
    keras.utils.set_random_seed(1)
    with strategy.scope():
        model = networks.build(ModelConfig(embedding=4, units=4), vocabulary_size=20, window=5)
        optimizer = make_optimizer(TrainConfig(optimizer="sgd", learning_rate=5.0), model)
        # Larger than they start with, so that gradients reach every layer.
        for weight in model.trainable_variables:
            weight.assign(5 * weight)
    weights = [_values(model)]
    train = training_steps(strategy, model, optimizer, clip_norm=0.05)
    batches = iter(distribute(strategy, _dataset()))
    trained = []
    for steps in (1, STEPS - 1):
        trained.append(train(batches, steps))
        weights.append(_values(model))
    measured = measuring_steps(strategy, model)(iter(distribute(strategy, _dataset())), STEPS)
    return {
        "replicas": strategy.num_replicas_in_sync,
        "weights": weights,
        "trained": trained,
        "measured": measured,
    }


def main() -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    one = _outcome(tf.distribute.get_strategy())
    # The default collectives of several CPU devices in one process can abort it.
    mirrored = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    print(json.dumps({"one": one, "two": _outcome(mirrored)}))


if __name__ == "__main__":
    main()
