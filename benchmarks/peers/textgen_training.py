"""Pairs trained by textgen: its network and its steps, many in one call, as `textgen train` takes them."""

import stepping
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.model import cpu_parallelism, networks
from textgen.training.losses import full_softmax_loss
from textgen.training.metrics import ZERO_SUMS
from textgen.training.optimizers import make_optimizer
from textgen.training.step import training_steps


def main() -> None:
    given = stepping.parser().parse_args()
    plan = cpu_parallelism.plan_cpu()
    sizes = stepping.MODELS[given.model]
    config = ModelConfig(embedding=sizes.embedding, layers=sizes.layers, units=(sizes.units,))
    model = networks.build(config, vocabulary_size=sizes.words, window=sizes.window)
    settings = TrainConfig(optimizer="rmsprop", clip_norm=0.0, batch_size=given.batch)
    optimizer = make_optimizer(settings, model, stepping.LEARNING_RATE)
    batch_loss, variables = full_softmax_loss(model, training=True), model.trainable_variables
    steps = training_steps(tf.distribute.get_strategy(), optimizer, variables, batch_loss, settings, plan=plan)
    batches = iter(tf.data.Dataset.from_tensor_slices(stepping.pairs(sizes, given.batch)).repeat())
    clock = stepping.Clock(given.batch, given.seconds)
    stepping.measure(lambda count: steps(batches, count, ZERO_SUMS), steps=stepping.STEPS_A_CALL, clock=clock)


if __name__ == "__main__":
    main()
