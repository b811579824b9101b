"""Writes runs without training."""

import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from textgen import runs
from textgen.config import VOCABULARY_FILE, ModelConfig, TextConfig, TrainConfig
from textgen.text.vocabulary import Vocabulary

CHAR = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep", vocabulary_size=100)


def write_run(
    directory: Path,
    *,
    tokens: Sequence[str] = tuple(string.ascii_letters[:16]),
    text: TextConfig = CHAR,
    window: int = 5,
    scale: float = 1.0,
    **model: Any,
) -> Path:
    """Writes a run with initial weights, as a training would; it takes a fraction of the time.

    Args:
        directory: folder to write.
        tokens: the vocabulary.
        text: the text settings.
        window: W.
        scale: factor of the weights; with a large one, predictions depend more on what was read.
        **model: settings of the network.
    """
    (directory / runs.BEST).mkdir(parents=True)
    words = Vocabulary(tuple(tokens), (1,) * len(tokens))
    config = runs.RunConfig(
        text=text,
        model=ModelConfig(**{"embedding": 4, "units": 4, **model}),
        train=TrainConfig(),
        window=window,
        vocabulary_size=words.size,
        tokens_sha256=words.tokens_fingerprint(),
        boundaries=True,
    )
    keras.utils.set_random_seed(5)
    network = config.build()
    network.set_weights([scale * weight for weight in network.get_weights()])
    runs.save(config, directory)
    (directory / VOCABULARY_FILE).write_bytes(words.to_bytes())
    tf.train.Checkpoint(model=network).write(str(directory / runs.BEST / "ckpt-1"))
    return directory
