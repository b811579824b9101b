"""What the training loop adds to its bare step, and how long steps wait for the loader.

    python benchmarks/loop.py [--rounds 5] [--steps 400]

The notebook's model (500 words, W = 44, Embedding 8, 3 × BiLSTM 50, RMSprop). `bare` is one graph that trains on one
batch in memory again and again, with nothing measured or waited for; `loop` is `textgen.training.trainer.train` on
the sample's speeches, of which the steps between its first and its second check count. Each run is a process of its
own, in turn. Prints a Markdown table.
"""

import argparse
import contextlib
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import table

ROOT = Path(__file__).parents[1]
BATCHES = (128, 1024)
CHECKS = 2
PREPARE = ["prepare", "--preset", "notebook", "--layout", "spans", "--text-field", "narrative"]
MODEL = {"embedding": 8, "layers": 3, "units": (50,)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400, help="that count, after as many that don't")
    parser.add_argument("--way", choices=["bare", "loop"], help="one run, of this process")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--batch", type=int)
    given = parser.parse_args()
    if given.way:
        run = bare if given.way == "bare" else loop
        print(json.dumps(run(given.data, given.batch, given.steps)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        textgen = str(Path(sys.executable).with_name("textgen"))
        corpus = ["--input", str(ROOT / "examples" / "sotu_1961_2021.csv"), "--output", str(data)]
        subprocess.run([textgen, *PREPARE, *corpus], check=True, capture_output=True)
        table.show(
            ["batch", "bare step", "the loop", "it adds", "waits for the loader"],
            [measure(data, batch, given.rounds, given.steps) for batch in BATCHES],
        )


def measure(data: Path, batch: int, rounds: int, steps: int) -> list[str]:
    found: dict[str, list[dict[str, float]]] = {"bare": [], "loop": []}
    for _ in range(rounds):
        for way, runs in found.items():
            command = [sys.executable, __file__, "--way", way, "--data", str(data), "--batch", str(batch)]
            done = subprocess.run([*command, "--steps", str(steps)], check=True, capture_output=True, text=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
            print(batch, way, runs[-1], file=sys.stderr, flush=True)
    bare_ms, loop_ms = (statistics.median(run["ms"] for run in found[way]) for way in ("bare", "loop"))
    adds = statistics.median(b["ms"] / a["ms"] for a, b in zip(found["bare"], found["loop"], strict=True)) - 1
    waited = statistics.median(run["waited"] for run in found["loop"])
    return [f"{batch:,}", f"{bare_ms:.1f} ms", f"{loop_ms:.1f} ms", f"{adds:+.1%}", f"{waited:.2%} of the time"]


def bare(data: Path, batch: int, steps: int) -> dict[str, float]:
    import keras
    import tensorflow as tf

    from textgen.config import ModelConfig
    from textgen.dataset import read_manifest, read_pairs
    from textgen.model import cpu_parallelism, networks

    # As the loop does, so that both have the same threads.
    cpu_parallelism.plan_cpu()
    manifest = read_manifest(data)
    model = networks.build(
        ModelConfig(**MODEL), vocabulary_size=manifest.vocabulary_size, window=manifest.config.window
    )
    optimizer = keras.optimizers.RMSprop()
    optimizer.build(model.trainable_variables)
    x, y = next(iter(read_pairs(data, batch_size=batch, seed=0)))

    @tf.function
    def run(x: tf.Tensor, y: tf.Tensor, count: tf.Tensor) -> None:
        for _ in tf.range(count):
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x, training=True))
                loss = tf.reduce_mean(losses)
            values = [variable.value for variable in model.trainable_variables]
            optimizer.apply([tf.convert_to_tensor(g) for g in tape.gradient(loss, values)], model.trainable_variables)

    run(x, y, tf.constant(steps))
    started = time.monotonic()
    run(x, y, tf.constant(steps))
    return {"ms": (time.monotonic() - started) * 1000 / steps}


def loop(data: Path, batch: int, steps: int) -> dict[str, float]:
    from textgen.config import ModelConfig, TrainConfig
    from textgen.dataset import read_manifest
    from textgen.errors import Interrupted
    from textgen.training.callbacks.history import History
    from textgen.training.setup import config_for
    from textgen.training.trainer import train

    settings = TrainConfig(
        optimizer="rmsprop", clip_norm=0.0, batch_size=batch, epochs=1000, validate_every=steps, patience=1000
    )
    config = config_for(read_manifest(data), model=ModelConfig(**MODEL), train=settings)
    samples = itertools.count(1)

    def sample() -> str:
        if next(samples) == CHECKS:
            os.kill(os.getpid(), signal.SIGINT)
        return ""

    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "run"
        with contextlib.suppress(Interrupted):
            train(data, output, config, make_sampler=lambda model, config: sample)
        row = History(output / "history.csv", until_step=CHECKS * steps).rows[-1]
    return {"ms": row.seconds * 1000 / steps, "waited": row.waited}


if __name__ == "__main__":
    main()
