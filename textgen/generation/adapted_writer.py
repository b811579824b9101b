"""Writes texts with a network whose weights have followed the prompt."""

from collections.abc import Iterator, Sequence

import tensorflow as tf

from textgen.config import GenerationConfig
from textgen.errors import require
from textgen.generation.prompts import to_bytes
from textgen.generation.writer import Continuation, Writer
from textgen.model.adaptation import Adaptation
from textgen.model.language_model import LanguageModel


class AdaptedWriter:
    """Writes texts as a `Writer` does, after the weights have followed the prompt.

    They do not follow what is written, and are the trained ones again afterwards.
    """

    def __init__(self, writer: Writer, model: LanguageModel, *, rate: float, decay: float, tokens: int):
        """Keeps a copy of the weights.

        Args:
            writer: writes with the model.
            model: the network.
            rate: step size along the gradient.
            decay: share of the way back to the trained weights per step.
            tokens: number of tokens of the prompt per step.

        Raises:
            UserError: the network is not causal.
        """
        require(
            model.config.causal,
            f"the network {model.config.network} reads each window by itself, and does not follow a text. "
            "Leave --adapt out, or train --network lstm.",
        )
        self._writer, self._tokens = writer, tokens
        self._adaptation = Adaptation(model, rate=rate, decay=decay)

    def write(self, prompts: Sequence[str], config: GenerationConfig, *, samples: int = 1) -> list[Continuation]:
        """Returns the continuations of prompts, in their order; see `Writer.write`."""
        found: dict[str, Iterator[Continuation]] = {}
        for prompt in dict.fromkeys(prompts):
            times = prompts.count(prompt)
            self._follow(prompt)
            try:
                found[prompt] = iter(self._writer.write([prompt] * times, config, samples=samples))
            finally:
                self._adaptation.reset()
        return [next(found[prompt]) for prompt in prompts for _ in range(samples)]

    def write_each(
        self, prompts: Sequence[str], config: GenerationConfig, *, samples: int = 1
    ) -> Iterator[Continuation]:
        """Yields what `write` returns."""
        yield from self.write(prompts, config, samples=samples)

    def stream(self, prompt: str, config: GenerationConfig) -> Iterator[str]:
        """Yields a text in pieces; see `Writer.stream`. The weights are adapted until the last piece is taken."""
        self._follow(prompt)
        try:
            yield from self._writer.stream(prompt, config)
        finally:
            self._adaptation.reset()

    def _follow(self, prompt: str) -> None:
        ids = self._writer.generator.prompt_ids(tf.constant(to_bytes([prompt]))).to_tensor()
        self._adaptation.read_all(ids, tokens=self._tokens)
