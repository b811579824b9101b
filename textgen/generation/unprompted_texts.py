"""Writes whole texts without a prompt, to compare them with documents."""

import numpy as np

from textgen.config import EOS, GeneratedTextConfig, GenerationConfig
from textgen.generation.writer import Writer


def write_unprompted(writer: Writer, settings: GeneratedTextConfig) -> list[np.ndarray]:
    """Returns the ids of texts that begin as documents do, and may end as they do.

    Args:
        writer: writes with the model.
        settings: number and length of the texts, and the settings of sampling.

    Returns:
        int64 [T] each, without [EOS]; T may be 0.
    """
    config = GenerationConfig(
        tokens=settings.generation_tokens,
        temperature=(settings.generation_temperature,),
        top_k=settings.generation_top_k,
        top_p=settings.generation_top_p,
        seed=settings.generation_seed,
        may_end=True,
    )
    numbers = {text: number for number, text in enumerate(writer.preprocessor.vocabulary.texts)}
    found = (
        np.array([numbers[token] for token in written.tokens], np.int64)
        for written in writer.write_each([""], config, samples=settings.generation_texts)
    )
    return [ids[ids > EOS] for ids in found]
