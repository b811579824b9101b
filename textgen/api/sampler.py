"""Samples of text that a model writes while it is trained."""

from pathlib import Path

import keras
import tensorflow as tf

from textgen.generation.generator import Generator
from textgen.runs import RunConfig
from textgen.runs.run_vocabulary import load_preprocessor
from textgen.training.callbacks import MakeSampler, Sampler


def sampler_maker(folder: Path) -> MakeSampler:
    """Returns a function that makes the sampler of a run: `make(model, config)()` writes one text.

    Args:
        folder: folder of the run, which holds its vocabulary.
    """

    def make(model: keras.Model, config: RunConfig) -> Sampler:
        generator = Generator(model, load_preprocessor(folder, config), boundaries=config.boundaries)
        settings = config.train

        def sample() -> str:
            prompts = tf.constant([settings.sample_prompt.encode(errors="replace")])
            texts = generator.generate(
                prompts, settings.sample_tokens, settings.sample_temperature, settings.seed, False
            )
            return str(texts.numpy()[0].decode(errors="replace"))

        return sample

    return make
