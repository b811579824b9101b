"""Writes texts for Python: prompts and settings in, texts with their tokens out."""

import dataclasses
import functools
import itertools
import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from textgen.config import GenerationConfig, NeuralCacheConfig
from textgen.errors import require
from textgen.generation.beams import BeamSearch
from textgen.generation.controls import kinds_of, make_controls
from textgen.generation.generator import Generator
from textgen.generation.prompts import sample_numbers, to_bytes
from textgen.generation.streaming import TextStream
from textgen.generation.text_state import REASONS, RUNNING, Generated
from textgen.text.preprocessor import Preprocessor

_MAX_ROWS = 64
"""Maximum number of texts that are written at once."""

MAX_SAMPLES = 2**31 - 1
"""Maximum number of texts per prompt, which are numbered."""

_SECONDS_PER_CALL = 0.05
"""Duration of a call that writes tokens of a stream; with a call for each, a stream takes seven times as long."""

_TOKENS_KEPT = 32
"""Number of tokens that are kept to find the text of the next one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Continuation:
    """A text that was written.

    Attributes:
        prompt: the text that it continues.
        text: the new text, after the prompt unless `echo` is off.
        tokens: the new tokens as they stand in the vocabulary; those of a stop string are among them.
        log_probabilities: natural logarithm of the probability of each token, by the network itself: before
            temperature and all other settings, so that they are those of `Run.score`.
        reason: why the text ended: "length", "stop" for a stop string, or "end" where the model ended the document or
            no token was allowed.
    """

    prompt: str
    text: str
    tokens: tuple[str, ...]
    log_probabilities: tuple[float, ...]
    reason: str


class NextToken(NamedTuple):
    """A possible next token.

    Attributes:
        token: its text; `[EOS]` is the end of the document, `[UNK]` any token outside the vocabulary.
        probability: its probability, from 0 to 1.
    """

    token: str
    probability: float


class Writer:
    """Writes texts with a model."""

    def __init__(self, model: keras.Model, preprocessor: Preprocessor, *, boundaries: bool):
        """Makes the graph; nothing is traced yet.

        Args:
            model: the network.
            preprocessor: encodes prompts and decodes ids.
            boundaries: whether the documents of the training data begin with [BOS].
        """
        self._make = functools.partial(Generator, model, preprocessor, boundaries=boundaries)
        self.preprocessor = preprocessor
        self.generator = self._make()
        self._smaller: Generator | None = None
        self._cached: dict[NeuralCacheConfig, Generator] = {}
        self._searches: dict[Generator, BeamSearch] = {}

    def generator_for(self, config: GenerationConfig) -> Generator:
        """Returns a generator that heeds what the settings use.

        The first one is traced for these kinds of settings alone, in about half the time; if others are used later,
        it is `generator`, which heeds all. So no more than two are traced, and one for each neural cache.

        Raises:
            UserError: a neural cache is set and the network is not causal.
        """
        cache = config.cache
        if cache.tokens:
            if cache not in self._cached:
                self._cached[cache] = self._make(neural_cache=cache)
            return self._cached[cache]
        if self._smaller is None:
            self._smaller = self._make(kinds=kinds_of([config]))
        return self._smaller if self._smaller.kinds.covers(kinds_of([config])) else self.generator

    def write(self, prompts: Sequence[str], config: GenerationConfig, *, samples: int = 1) -> list[Continuation]:
        """Returns the continuations of prompts, in the order of the prompts.

        A continuation depends on its prompt, the settings and its number among those of equal prompts alone.

        Args:
            prompts: the prompts.
            config: the settings of all texts.
            samples: number of texts per prompt.

        Raises:
            UserError: a prompt is too long, a token of the settings is unknown, or `samples` is below 1.
        """
        return list(self.write_each(prompts, config, samples=samples))

    def write_each(
        self, prompts: Sequence[str], config: GenerationConfig, *, samples: int = 1
    ) -> Iterator[Continuation]:
        """Yields what `write` returns, batch after batch, each as soon as it is written."""
        require(
            1 <= samples <= MAX_SAMPLES, f"samples is {samples:,}; it must be from 1 to {MAX_SAMPLES:,}. Use another."
        )
        encoded, generator = to_bytes(prompts), self.generator_for(config)
        if config.beams > 1:
            yield from self._search(list(zip(prompts, encoded, strict=True)), config, samples)
            return
        pairs, again = itertools.tee(pair for pair in zip(prompts, encoded, strict=True) for _ in range(samples))
        rows = zip(pairs, sample_numbers(text for _, text in again), strict=True)
        while batch := list(itertools.islice(rows, _MAX_ROWS)):
            samples_of_rows = [number for _, number in batch]
            controls = make_controls([config] * len(batch), self.preprocessor, samples=samples_of_rows)
            generated = generator.generate(tf.constant([text for (_, text), _ in batch]), controls, 0)
            yield from self._continuations([prompt for (prompt, _), _ in batch], generated, echo=config.echo)

    def _search(
        self, prompts: Sequence[tuple[str, bytes]], config: GenerationConfig, samples: int
    ) -> Iterator[Continuation]:
        """Yields the `samples` best continuations of each prompt."""
        require(
            samples <= config.beams,
            f"samples is {samples} and beams {config.beams}; a search has as many texts as beams. Raise --beams.",
        )
        generator = self.generator_for(config)
        search = self._searches.setdefault(generator, BeamSearch(generator))
        controls = make_controls([config], self.preprocessor)
        for prompt, encoded in prompts:
            found = search.search(tf.constant([encoded]), controls, config.beams, config.length_penalty)
            yield from self._continuations([prompt] * samples, found, echo=config.echo)

    def stream(self, prompt: str, config: GenerationConfig) -> Iterator[str]:
        """Yields the text that `write` returns for one prompt, token by token, as soon as they are written.

        Args:
            prompt: the prompt.
            config: the settings.

        Raises:
            UserError: as by `write`.
        """
        prompts, generator = tf.constant(to_bytes([prompt])), self.generator_for(config)
        controls = make_controls([config], self.preprocessor)
        state, text, ids = generator.begin(prompts, controls), TextStream(config.stop), tf.zeros([1, 0], tf.int32)
        if config.beams > 1:
            yield self.write([prompt], config)[0].text
            return
        if config.echo:
            yield _printed(prompt)
        is_running, steps = True, 1
        while is_running:
            started = time.monotonic()
            state, written = generator.advance(state, controls, steps, 0)
            is_running = int(state.reasons[0]) == RUNNING
            seconds = max(time.monotonic() - started, 1e-6)
            steps = max(min(int(steps * _SECONDS_PER_CALL / seconds), 2 * steps), 1)
            ids = tf.concat([ids[:, -_TOKENS_KEPT:], written.ids], axis=1)
            *before, last = generator.token_texts(prompts, ids, ids.shape[1] - written.ids.shape[1]).numpy()[0]
            shown = [text.add(added) for added in before]
            shown.append(text.add(last) if is_running else text.end(last, cut=int(state.cuts[0])))
            yield from filter(None, shown)

    def next_tokens(self, prompt: str, *, top: int, temperature: float = 1.0) -> list[NextToken]:
        """Returns the likeliest next tokens after a prompt, the likeliest first.

        Args:
            prompt: text to continue; "" begins a document.
            top: number of tokens.
            temperature: divides the logits; it must be above 0.

        Raises:
            UserError: an argument is out of range, or the prompt is too long.
        """
        require(top >= 1, f"top is {top}; it must be at least 1.")
        require(
            0 < temperature < math.inf,
            f"temperature is {temperature:g}; it must be finite and above 0. Use 1 for the model's probabilities.",
        )
        generator = self._smaller or self.generator
        (logits,) = generator.next_logits(tf.constant(to_bytes([prompt])))
        probabilities, ids = tf.math.top_k(tf.nn.softmax(logits / temperature), min(top, len(logits)))
        texts = self.preprocessor.vocabulary.texts
        return [NextToken(texts[i], float(p)) for i, p in zip(ids.numpy(), probabilities.numpy(), strict=True)]

    def _continuations(self, prompts: Sequence[str], generated: Generated, *, echo: bool) -> list[Continuation]:
        texts, vocabulary = generated.texts.numpy().tolist(), self.preprocessor.vocabulary.texts
        lengths, reasons = generated.lengths.numpy().tolist(), generated.reasons.numpy().tolist()
        ids, log_probabilities = (tensor.numpy().tolist() for tensor in generated.written[:2])
        return [
            Continuation(
                prompt=_printed(prompt),
                text=(_printed(prompt) if echo else "") + texts[row].decode(errors="replace"),
                tokens=tuple(vocabulary[number] for number in ids[row][: lengths[row]]),
                log_probabilities=tuple(log_probabilities[row][: lengths[row]]),
                reason=REASONS[reasons[row]],
            )
            for row, prompt in enumerate(prompts)
        ]


def _printed(prompt: str) -> str:
    """Returns a prompt as it was read, with `?` for what is no valid text."""
    return prompt.encode(errors="replace").decode()
