"""Samples of text that a model writes while it is trained."""

from pathlib import Path

import keras

from textgen.config import GenerationConfig
from textgen.generation.writer import Writer
from textgen.runs import RunConfig
from textgen.runs.run_vocabulary import load_preprocessor
from textgen.training.callbacks import MakeSampler, Sampler


def sampler_maker(folder: Path) -> MakeSampler:
    """Returns a function that makes the sampler of a run: `make(model, config)()` writes one text.

    Args:
        folder: folder of the run, which holds its vocabulary.
    """

    def make(model: keras.Model, config: RunConfig) -> Sampler:
        writer = Writer(model, load_preprocessor(folder, config), boundaries=config.boundaries)
        train = config.train
        settings = GenerationConfig(
            tokens=train.sample_tokens, temperature=(train.sample_temperature,), seed=train.seed
        )

        def sample() -> str:
            return writer.write([train.sample_prompt], settings)[0].text

        return sample

    return make
