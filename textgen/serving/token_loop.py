"""Calls the graph that writes the tokens of a batch: for as long as nobody waits for something else."""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from textgen.config import GenerationConfig
from textgen.generation.controls import Controls, control_specs, kinds_of
from textgen.generation.generator import Generator
from textgen.generation.text_state import RUNNING, Resumed, TextState, Written
from textgen.serving.batch_rows import BatchRows

_STEPS_AFTER_END = 16
"""Number of tokens per text of a call that goes on though a text has ended, since each call takes milliseconds."""

_TOKENS_OF_A_CALL = 3
"""Number of tokens that take as long as what a call does beside its tokens."""

_MAX_STEPS = 10_000
"""Maximum number of tokens per text and call."""


class Begun(NamedTuple):
    """Texts that were begun.

    Attributes:
        rows: the texts.
        prompts: string [B], their prompts.
        prompt_tokens: int32 [B], number of the ids of each prompt without [BOS].
        written: tokens that were written at once.
        texts: string [B], the text of these.
    """

    rows: BatchRows
    prompts: tf.Tensor
    prompt_tokens: tf.Tensor
    written: Written
    texts: tf.Tensor


class TokenLoop:
    """Writes tokens of a batch, in a call that ends when its time is over, a text has ended, or others wait."""

    def __init__(self, generators: Sequence[Generator]):
        """Traces the graphs.

        Args:
            generators: write texts; the first one that heeds what all texts of a batch use is taken. The last one
                heeds everything.
        """
        self._generators = generators
        # The graph reads the variable; an assignment takes a third of a millisecond, so it is not repeated.
        self._is_interrupted = tf.Variable(False, trainable=False)
        self._is_known_interrupted = False
        one, prompts = tf.TensorSpec([], tf.int32), tf.TensorSpec([None], tf.string)
        ids = tf.TensorSpec([None, None], tf.int32)
        self._graphs = {
            generator: _trace(
                functools.partial(self._advance, generator), generator.state_specs(), control_specs(), one, one, one
            )
            for generator in generators
        }
        # Each call of a graph takes milliseconds, and most texts need no more than this one.
        self._beginnings = {
            generator: _trace(functools.partial(self._begin, generator), prompts, ids, control_specs(), one, one)
            for generator in generators
        }
        self._seconds_per_step = 0.01

    def generator_for(self, configs: Sequence[GenerationConfig]) -> Generator:
        """Returns the generator of texts with some settings."""
        kinds = kinds_of(configs)
        return next(generator for generator in self._generators if generator.kinds.covers(kinds))

    def interrupt(self) -> None:
        """Ends the running call after its current token, and later ones after as few as they may; for other threads.

        `interrupt` and `allow` must not be called at the same time.
        """
        if not self._is_known_interrupted:
            self._is_known_interrupted = True
            self._is_interrupted.assign(True)

    def allow(self) -> None:
        """Ends the effect of `interrupt`."""
        if self._is_known_interrupted:
            self._is_known_interrupted = False
            self._is_interrupted.assign(False)

    def begin(
        self,
        prompts: tf.Tensor,
        ids: tf.Tensor,
        controls: Controls,
        configs: Sequence[GenerationConfig],
        *,
        seconds: float | None,
        top: int,
    ) -> Begun:
        """Reads prompts, and writes tokens of each text, if nobody waits.

        Args:
            prompts: string [B].
            ids: int32 [B, N] with PAD for none, which are read as if they were a part of the prompts.
            controls: the settings of each row.
            configs: the same.
            seconds: duration of what is written, as by `write`; None to write nothing.
            top: number of alternatives per token.
        """
        steps = tf.constant(0) if seconds is None else self._steps(seconds)
        graph = self._beginnings[self.generator_for(configs)]
        resumed, written, texts = graph(prompts, ids, controls, steps, tf.constant(top))
        return Begun(BatchRows(resumed.state, controls), resumed.texts, resumed.tokens, written, texts)

    def write(
        self, rows: BatchRows, configs: Sequence[GenerationConfig], *, seconds: float, top: int
    ) -> tuple[BatchRows, Written]:
        """Writes at least one token of each text.

        Args:
            rows: texts that have not ended.
            configs: their settings.
            seconds: duration, as far as it is known from the call before; 0 for one token.
            top: number of alternatives per token.
        """
        started = time.monotonic()
        state, written = self._graphs[self.generator_for(configs)](
            *rows, self._steps(seconds), tf.constant(1), tf.constant(top)
        )
        self._seconds_per_step = (time.monotonic() - started) / (written.ids.shape[1] + _TOKENS_OF_A_CALL)
        return BatchRows(state, rows.controls), written

    def _steps(self, seconds: float) -> tf.Tensor:
        return tf.constant(min(max(int(seconds / self._seconds_per_step), 1), _MAX_STEPS))

    def _begin(
        self,
        generator: Generator,
        prompts: tf.Tensor,
        ids: tf.Tensor,
        controls: Controls,
        steps: tf.Tensor,
        top: tf.Tensor,
    ) -> tuple[Resumed, Written, tf.Tensor]:
        resumed = generator.resume(prompts, ids, controls)
        # Else the first step could begin, and find that nobody waits, before the prompts are read.
        with tf.control_dependencies(resumed.state.context):
            state = resumed.state._replace(reasons=tf.identity(resumed.state.reasons))
        state, written = self._graphs[generator](state, controls, steps, tf.constant(0), top)
        return resumed._replace(state=state), written, generator.continue_text(resumed.texts, written.ids)

    def _advance(
        self,
        generator: Generator,
        state: TextState,
        controls: Controls,
        steps: tf.Tensor,
        least: tf.Tensor,
        top: tf.Tensor,
    ) -> tuple[TextState, Written]:
        """Writes up to `steps` tokens of each text, and `least` ones even if others wait, both int32 []."""

        def goes_on(done: tf.Tensor, state: TextState) -> tf.Tensor:
            is_whole = (done < _STEPS_AFTER_END) | tf.reduce_all(state.reasons == RUNNING)
            # Else it could be read before the step ends.
            with tf.control_dependencies([state.reasons]):
                is_interrupted = self._is_interrupted.read_value()
            return (done < least) | is_whole & ~is_interrupted

        return generator.write_tokens(state, controls, steps, top, goes_on)


def _trace(function: Callable[..., Any], *specs: Any) -> Callable[..., Any]:
    """Returns the graph of a function; to find it by the arguments of each call would take a millisecond."""
    return tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
