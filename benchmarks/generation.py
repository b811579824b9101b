"""Speed of generation: one text and many, each control, and the loop that calls Keras once per token.

    python benchmarks/generation.py [--rounds 5] [--tokens 200] [--rows 64]

An `lstm` of 2 × 256 units and a `bilstm` of 2 × 64 with a window of 32, with 8,000 words or 65 characters and initial
weights. Each way writes `--tokens` tokens after a prompt of 8 words. Ways take turns, and what is traced at their
first call is not counted. `predict` is the loop in Python that calls `model.predict` on a window of 32 for each
token. Prints a Markdown table of medians.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
import table
import tensorflow as tf

from textgen.config import GenerationConfig, ModelConfig, TextConfig
from textgen.generation.controls import kinds_of, make_controls
from textgen.generation.generator import Generator
from textgen.model import networks
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

WORDS = tuple(f"w{i}" for i in range(7996))
WINDOW = 32
PROMPT = " ".join(WORDS[:8])
LSTM = ModelConfig(network="lstm", embedding=128, layers=2, units=(256,))
MODELS = {
    "lstm": (LSTM, WORDS),
    "lstm, 65 tokens": (LSTM, WORDS[:61]),
    "bilstm": (ModelConfig(network="bilstm", embedding=64, layers=2, units=(64,)), WORDS),
}
CONTROLS = {
    "": {},
    ", top-k 40": {"top_k": 40},
    ", top-p 0.9": {"top_p": 0.9},
    ", penalties": {"repetition_penalty": 1.2, "frequency_penalty": 0.5},
    ", no n-gram of 3 twice": {"no_repeat_ngram": 3},
    ", stop string": {"stop": ("never written",)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--rows", type=int, default=64)
    given = parser.parse_args()
    ways = ways_of(given.tokens, given.rows)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for write, _ in ways.values():
        write()
    for _ in range(given.rounds):
        for name, (write, _) in ways.items():
            started = time.perf_counter()
            write()
            seconds[name].append(time.perf_counter() - started)
    table.show(
        ["way", "milliseconds per token of each text", "tokens per second", "time of one text of the lstm"],
        rows(seconds, ways, given.tokens),
    )


def rows(
    seconds: dict[str, list[float]], ways: dict[str, tuple[Callable[[], object], int]], tokens: int
) -> list[list[str]]:
    base = statistics.median(seconds["lstm"])
    found = []
    for name, times in seconds.items():
        median, texts = statistics.median(times), ways[name][1]
        count = PREDICTED if name.startswith("predict") else tokens * (10 if "10 ×" in name else 1)
        per_token = median / count
        found.append(
            [name, f"{1000 * per_token:.2f}", f"{texts / per_token:,.0f}", f"{per_token / (base / tokens):.2f}"]
        )
    return found


PREDICTED = 10
"""Number of tokens of the loop over `predict`, which is slow."""


def ways_of(tokens: int, rows: int) -> dict[str, tuple[Callable[[], object], int]]:
    """Returns functions that write texts, and the number of texts of each, by name."""
    ways: dict[str, tuple[Callable[[], object], int]] = {}
    for network, (config, words) in MODELS.items():
        keras.utils.set_random_seed(1)
        model = networks.build(config, vocabulary_size=len(words) + 4, window=WINDOW)
        preprocessor = Preprocessor(TextConfig(), Vocabulary(words, tuple(range(len(words), 0, -1))))
        for name, settings in CONTROLS.items():
            if name and network != "lstm":
                continue
            one = GenerationConfig(tokens=tokens, **settings)
            ways[f"{network}{name}"] = writing(model, preprocessor, one, 1), 1
            ways[f"{network}{name}, {rows} texts"] = writing(model, preprocessor, one, rows), rows
        if network == "lstm":
            long = GenerationConfig(tokens=10 * tokens)
            ways["lstm, 10 × the tokens"] = writing(model, preprocessor, long, 1), 1
        ways[f"predict, {network}"] = predicting(model), 1
    return ways


def writing(
    model: keras.Model, preprocessor: Preprocessor, config: GenerationConfig, count: int
) -> Callable[[], object]:
    generator = Generator(model, preprocessor, kinds=kinds_of([config]))
    prompts = tf.constant([PROMPT] * count)
    controls = make_controls([config] * count, preprocessor, samples=list(range(count)))
    return lambda: generator.generate(prompts, controls, 0).texts.numpy()


def predicting(model: keras.Model) -> Callable[[], object]:
    rng = np.random.default_rng(0)

    def write() -> None:
        ids = [2, *range(4, 12)]
        for _ in range(PREDICTED):
            window = np.zeros([1, WINDOW], np.int32)
            last = ids[-WINDOW:]
            window[0, : len(last)] = last
            logits = model.predict(window, verbose=0)[0]
            logits = logits[len(last) - 1] if logits.ndim == 2 else logits
            probabilities = np.exp(np.float64(logits) - logits.max())
            ids.append(int(rng.choice(len(probabilities), p=probabilities / probabilities.sum())))

    return write


if __name__ == "__main__":
    main()
