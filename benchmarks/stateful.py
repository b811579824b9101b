"""Whether a stateful LSTM learns to begin: one long document, with and without rows that begin anew at random.

    python benchmarks/stateful.py --input gcide.txt [--megabytes 6] [--seeds 0 1 2] [--checks 250 500 1000 2000]

The words of one document, two layers of 256 with tied weights, 16 rows of 4 tokens per step, Adam at a high rate. A
row goes on for the whole training, unless it begins anew from zero states, with the probability `restarts` per step,
which is 0.01 in `train`. Prints a Markdown table of losses in nats per token: of the training since the check before,
and of held-out text, read by 64 rows that begin from zero states at 64 places and go on to the next: of all of their
tokens, of the first 32 and the first 4, and of the quarter of the rows with the highest loss.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import table
import tensorflow as tf

import textgen
from textgen.config import ModelConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.model.language_model import LanguageModel
from textgen.training import data as training_data
from textgen.training.metrics import ZERO_SUMS
from textgen.training.setup import config_for
from textgen.training.step import steps_of
from textgen.training.strategy import Replicas
from textgen.training.train_state import make_train_state

TEXT = {"format": "document", "split_by": "tail", "validation_percent": 2, "test_percent": 0, "vocabulary_size": 2000}
MODEL = {"network": "lstm", "embedding": 256, "layers": 2, "units": (256,), "tied": True}
TRAIN = {"batch_size": 16, "learning_rate": 0.03, "stateful": True, "epochs": 100}
WINDOW, HELD_OUT_WINDOW, HELD_OUT_ROWS = 4, 32, 64
NEVER = 1e-15
"""Stands for no restarts, which `train` always has."""

COLUMNS = ["restarts", "seed", "step", "training", "held out", "first 32 tokens", "first 4", "worst quarter of rows"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--input", type=Path, required=True, help="a text, of which the beginning is one document")
    parser.add_argument("--megabytes", type=float, default=6)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--restarts", type=float, nargs="+", default=[0, 0.01])
    parser.add_argument("--checks", type=int, nargs="+", default=[250, 500, 1000, 2000], help="steps, ascending")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        text, data = Path(scratch) / "text.txt", Path(scratch) / "data"
        with given.input.open("rb") as file:
            text.write_bytes(file.read(int(given.megabytes * 1e6)))
        textgen.prepare(text, data, layout="spans", window=HELD_OUT_WINDOW, **TEXT)
        table.show(COLUMNS, rows(data, given))


def rows(data: Path, given: argparse.Namespace) -> Iterator[list[str]]:
    for seed in given.seeds:
        for restarts in given.restarts:
            for step, training, held_out in train(data, restarts=restarts, seed=seed, checks=given.checks):
                by_row = np.sort(held_out.mean(axis=1))
                worst = by_row[-(len(by_row) // 4) :]
                losses = (training, *(part.mean() for part in (held_out, held_out[:, :32], held_out[:, :4], worst)))
                yield [f"{restarts:g}", str(seed), f"{step:,}", *(f"{loss:.2f}" for loss in losses)]


def train(data: Path, *, restarts: float, seed: int, checks: list[int]) -> Iterator[tuple[int, float, np.ndarray]]:
    """Trains as `textgen train` does, but with any probability of restarts, and without a run's files.

    Yields at each check its step, the training loss since the one before, and the losses of the held-out rows.
    """
    training_data._RESTARTS = restarts or NEVER
    train = TrainConfig(**TRAIN, seed=seed)
    config = config_for(read_manifest(data), window=WINDOW, model=ModelConfig(**MODEL), train=train)
    replicas = Replicas(tf.distribute.get_strategy())
    source = training_data.TrainingData(data, config, replicas)
    state = make_train_state(config, source, replicas.strategy)
    train_steps, batches, step = steps_of(replicas, state, train), source.training(0), 0
    for check in checks:
        sums, step = train_steps(batches, check - step, ZERO_SUMS), check
        yield step, sums.mean_loss, held_out_losses(state.model, data)


def held_out_losses(model: LanguageModel, data: Path) -> np.ndarray:
    """Returns float [rows, tokens], the losses of rows that begin from zero states and go on."""
    read = textgen.read_sequences(
        data, split="validation", batch_size=HELD_OUT_ROWS, window=HELD_OUT_WINDOW, stateful=True
    )
    losses, states = [], model.initial_states(HELD_OUT_ROWS)
    for x, y, _ in read:
        logits, states = model(x, states, training=False)
        losses.append(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits).numpy())
    return np.concatenate(losses, axis=1)


if __name__ == "__main__":
    main()
