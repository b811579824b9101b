"""The notebook's model on the notebook's data: two targets per document, held in arrays.

Of each document the 45th word (the last, where it has fewer) and the last one are targets, each after the 44 before
it. All else is ours: network, optimizer, steps, and what is held out. Prints the perplexity on the test split of the
weights at the end, and of those with the lowest validation loss, which the notebook did not look at.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from textgen.config import BOS
from textgen.config.settings_file import collect, train_configs
from textgen.dataset import read_manifest, read_pairs
from textgen.model import cpu_parallelism
from textgen.training.data import held_out
from textgen.training.evaluator import make_evaluator
from textgen.training.losses import full_softmax_loss
from textgen.training.metrics import ZERO_SUMS
from textgen.training.optimizers import make_optimizer
from textgen.training.setup import config_for
from textgen.training.step import training_steps
from textgen.training.strategy import Replicas

WORD = 45


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    given = parser.parse_args()
    x, y = two_targets_a_document(given.data)
    print(json.dumps({"pairs": len(y), **train(given.data, x, y, given.minutes)}))


def two_targets_a_document(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """X int32 [N, W] and y int32 [N] of the training documents."""
    window = read_manifest(data).config.window
    pieces = [(x[:, 0], y) for x, y in read_pairs(data, batch_size=1 << 16, window=1).as_numpy_iterator()]
    before, after = (np.concatenate(ids) for ids in zip(*pieces, strict=True))
    starts = np.flatnonzero(before == BOS)
    # A document's last target is [EOS], which is no word.
    ends = np.append(starts[1:], len(after)) - 1
    starts, ends = starts[ends > starts], ends[ends > starts]
    places = np.concatenate([np.minimum(starts + WORD - 1, ends - 1), ends - 1])
    x = np.zeros([len(places), window], np.int32)
    for row, place, start in zip(x, places, np.tile(starts, 2), strict=True):
        context = before[max(start, place + 1 - window) : place + 1]
        row[: len(context)] = context
    return x, after[places]


def train(data: Path, x: np.ndarray, y: np.ndarray, minutes: float) -> dict[str, float]:
    """Trains for so long; the perplexities."""
    configs = train_configs(collect("train", {}, preset="notebook"))
    config = config_for(read_manifest(data), **configs)
    # As `textgen train` does, so that both have the same threads.
    plan = cpu_parallelism.plan_cpu()
    keras.utils.set_random_seed(0)
    model, replicas = config.build(), Replicas(tf.distribute.get_strategy(), cpu_plan=plan)
    optimizer = make_optimizer(config.train, model, config.train.learning_rate)
    steps = training_steps(
        replicas.strategy,
        optimizer,
        model.trainable_variables,
        full_softmax_loss(model, training=True),
        config.train,
        plan=plan,
    )
    evaluate = make_evaluator(replicas, model)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(y), seed=0).repeat()
    batches = iter(dataset.batch(config.train.batch_size).prefetch(2))

    def loss(split: str) -> float:
        return evaluate(held_out(data, config, replicas, split=split, batch_size=1024)).mean_loss

    spent, best, weights, an_epoch = 0.0, np.inf, model.get_weights(), len(y) // config.train.batch_size
    while spent < 60 * minutes:
        started = time.monotonic()
        steps(batches, an_epoch, ZERO_SUMS)
        spent += time.monotonic() - started
        # Looking at validation takes none of its time.
        found = loss("validation")
        if found < best:
            best, weights = found, model.get_weights()
    last = np.exp(loss("test"))
    model.set_weights(weights)
    return {"last": float(last), "best": float(np.exp(loss("test")))}


if __name__ == "__main__":
    main()
