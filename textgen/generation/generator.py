"""Generates text: the whole loop, from prompts to texts, is one graph."""

from collections.abc import Callable

import tensorflow as tf

from textgen.config import BOS, EOS, NO_NEURAL_CACHE, PAD, NeuralCacheConfig
from textgen.generation import penalties, stops
from textgen.generation.contexts import DecodingState, decoding_context
from textgen.generation.controls import ALL_KINDS, Controls, Kinds, control_specs
from textgen.generation.plain_sampling import (
    PlainSampling,
    draw_plain,
    finite_softmax,
    is_plain_now,
    log_total,
    plain_sampling,
)
from textgen.generation.sampling import random_numbers, sample_next
from textgen.generation.text_state import END, LENGTH, RUNNING, STOP, Generated, Resumed, TextState, Written
from textgen.model.language_model import LanguageModel
from textgen.text.preprocessor import Preprocessor

_TOKENS_BEFORE = 16
"""Number of tokens before another that its text can depend on."""


class Generator(tf.Module):
    """Continues prompts with a model.

    Every row of a batch has its own settings and random numbers, and is the same in any batch, up to the rounding of
    the network. All methods are graphs with fixed signatures, which another graph may call.
    """

    def __init__(
        self,
        model: LanguageModel,
        preprocessor: Preprocessor,
        *,
        boundaries: bool = True,
        kinds: Kinds = ALL_KINDS,
        neural_cache: NeuralCacheConfig = NO_NEURAL_CACHE,
    ):
        """Makes a generator.

        Args:
            model: the network.
            preprocessor: encodes prompts and decodes ids.
            boundaries: whether the documents of the training data begin with [BOS].
            kinds: kinds of controls that are heeded; others must have no effect.
            neural_cache: settings of a neural cache, whose mixture is what the network predicts.

        Raises:
            UserError: a neural cache is set and the network is not causal.
        """
        super().__init__()
        self._boundaries, self.kinds = boundaries, kinds
        self._model = model
        self._preprocessor = preprocessor
        self._context = decoding_context(model, neural_cache)
        self.size = preprocessor.vocabulary.size
        prompts, controls = tf.TensorSpec([None], tf.string, "prompts"), control_specs()
        top, steps = tf.TensorSpec([], tf.int32, "top"), tf.TensorSpec([], tf.int32, "steps")
        ids = tf.TensorSpec([None, None], tf.int32, "ids")
        # Autograph would take seconds to convert all that is called.
        self.generate = tf.function(self._generate, input_signature=[prompts, controls, top], autograph=False)
        self.begin = tf.function(self._begin, input_signature=[prompts, controls], autograph=False)
        self.advance = tf.function(
            self.write_tokens, input_signature=[self.state_specs(), controls, steps, top], autograph=False
        )
        self.continue_text = tf.function(self._continue_text, input_signature=[prompts, ids], autograph=False)
        self.resume = tf.function(self._resume, input_signature=[prompts, ids, controls], autograph=False)
        self.token_texts = tf.function(
            self._token_texts, input_signature=[prompts, ids, tf.TensorSpec([], tf.int32, "first")], autograph=False
        )
        self.next_logits = tf.function(self._next_logits, input_signature=[prompts], autograph=False)

    def _generate(self, prompts: tf.Tensor, controls: Controls, top: tf.Tensor) -> Generated:
        """Continues prompts until every text has ended.

        Args:
            prompts: string [B] of valid UTF-8; an empty one begins a document.
            controls: the settings of each row.
            top: int32 [], number A of alternatives that are returned for each token.
        """
        state = self._begin(prompts, controls)
        state, written = self.write_tokens(state, controls, tf.reduce_max(controls.max_tokens), top)
        return self.finish(prompts, state, written)

    def finish(self, prompts: tf.Tensor, state: TextState, written: Written) -> Generated:
        """Returns the new texts after prompts, string [B], without the stop strings at which they ended."""
        texts = self._continue_text(prompts, written.ids)
        sizes = tf.maximum(tf.strings.length(texts) - state.cuts, 0)
        return Generated(tf.strings.substr(texts, tf.zeros_like(sizes), sizes), state.lengths, state.reasons, written)

    def _begin(self, prompts: tf.Tensor, controls: Controls) -> TextState:
        """Returns the state after prompts, string [B], before the first new token."""
        return self._begin_after(self.prompt_ids(prompts), prompts, controls)

    def _resume(self, prompts: tf.Tensor, ids: tf.Tensor, controls: Controls) -> Resumed:
        """Reads prompts, and ids as if these were a part of the prompts.

        Args:
            prompts: string [B].
            ids: int32 [B, N] with PAD for none.
            controls: the settings of each row.
        """
        known, further = self._preprocessor.encode(prompts), tf.ragged.boolean_mask(ids, ids != PAD)
        texts = tf.strings.join([prompts, self._continue_text(prompts, ids)])
        state = self._begin_after(tf.concat([self._after_bos(known), further], axis=1), texts, controls)
        return Resumed(state, texts, tf.cast(known.row_lengths() + further.row_lengths(), tf.int32))

    def _begin_after(self, ids: tf.RaggedTensor, prompts: tf.Tensor, controls: Controls) -> TextState:
        zeros = tf.zeros_like(controls.max_tokens)
        return TextState(
            context=self._context.begin(ids),
            tokens=penalties.begin(ids, controls, self.size, self.kinds),
            last=stops.begin(prompts, controls.stops),
            lengths=zeros,
            reasons=tf.where(controls.max_tokens > 0, RUNNING, LENGTH),
            cuts=zeros,
        )

    def write_tokens(
        self,
        state: TextState,
        controls: Controls,
        steps: tf.Tensor,
        top: tf.Tensor,
        goes_on: Callable[[tf.Tensor, TextState], tf.Tensor] = lambda done, state: tf.constant(True),
    ) -> tuple[TextState, Written]:
        """Writes up to `steps` tokens of each text that has not ended.

        Args:
            state: the texts.
            controls: the settings of each row.
            steps: int32 [], maximum number of tokens per text.
            top: int32 [], number A of alternatives.
            goes_on: returns whether more tokens are written, bool [], after a number of steps, int32 [].

        Returns:
            The texts and their new tokens; as many columns as the longest of them needs.
        """
        plain = plain_sampling(controls, penalties.dense_biases(controls, self.size))
        rows, top = tf.shape(state.reasons)[0], tf.minimum(top, self.size)
        columns = self._model.head.columns(rows)
        # The first element is not used: a stack of no elements would have no shape.
        first = Written(
            tf.zeros([rows], tf.int32), tf.zeros([rows]), tf.zeros([rows, top], tf.int32), tf.zeros([rows, top])
        )
        arrays = tuple(
            tf.TensorArray(x.dtype, 1, dynamic_size=True, element_shape=_any(x)).write(0, x) for x in first
        )

        def write(
            done: tf.Tensor, state: TextState, arrays: tuple[tf.TensorArray, ...]
        ) -> tuple[tf.Tensor, TextState, tuple[tf.TensorArray, ...]]:
            state, found = self._write_token(state, controls, plain, top, columns)
            arrays = tuple(array.write(done + 1, one) for array, one in zip(arrays, found, strict=True))
            return done + 1, state, arrays

        shapes = tf.nest.map_structure(lambda spec: spec.shape, self.state_specs())
        _, state, arrays = tf.while_loop(
            lambda done, state, _: (done < steps) & tf.reduce_any(state.reasons == RUNNING) & goes_on(done, state),
            write,
            (tf.constant(0), state, arrays),
            shape_invariants=(tf.TensorShape([]), shapes, tuple(tf.TensorShape(None) for _ in arrays)),
        )
        return state, Written(*(_batch_first(array.stack()[1:]) for array in arrays))

    def _write_token(
        self, state: TextState, controls: Controls, plain: PlainSampling, top: tf.Tensor, columns: tf.Tensor | None
    ) -> tuple[TextState, Written]:
        """Writes one token of each text that has not ended; the tensors of `Written` are without N."""
        logits, probabilities, context = self.predict(state, columns)
        numbers = random_numbers(controls, state.lengths)
        # Each pass over all logits of a batch takes time.
        ids = tf.cond(
            is_plain_now(plain, probabilities),
            lambda: draw_plain(plain, probabilities, numbers),
            lambda: sample_next(
                self.allowed(logits, state, controls, plain.biases), state.lengths, controls, numbers, self.kinds
            ),
        )
        alternatives = tf.math.top_k(logits, top)
        total = log_total(logits, probabilities, ids)
        is_written = (state.reasons == RUNNING) & (ids != EOS)
        written = Written(
            tf.where(is_written, ids, PAD),
            tf.where(is_written, tf.gather(logits, ids, batch_dims=1) - total, 0.0),
            alternatives.indices,
            alternatives.values - total[:, tf.newaxis],
        )
        return self.append(state._replace(context=context), ids, controls), written

    def predict(
        self, state: TextState, columns: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor, DecodingState]:
        """Returns the next token's logits, float32 [B, V], their softmax and what was read; see `Logits.columns`."""
        logits, context = self._context.predict(state.context, columns)
        return *finite_softmax(logits), context

    def allowed(self, logits: tf.Tensor, state: TextState, controls: Controls, biases: tf.Tensor) -> tf.Tensor:
        """Returns logits, float32 [B, V], with penalties and biases.

        What is not allowed has such a low one that its probability is 0. Where nothing is allowed, [EOS] is.
        """
        adjusted = penalties.adjust(logits, state.tokens, biases, controls, self.kinds)
        return penalties.settle_end(adjusted, controls.may_end & (state.lengths < controls.min_tokens))

    def append(self, state: TextState, ids: tf.Tensor, controls: Controls) -> TextState:
        """Returns the texts with one more id each, int32 [B]; EOS ends a text, and what has ended does not change."""
        is_running = state.reasons == RUNNING
        is_written = is_running & (ids != EOS)
        lengths = state.lengths + tf.cast(is_written, tf.int32)
        last, cuts = state.last, tf.zeros_like(ids)
        if self.kinds.stops:
            last, cuts = tf.cond(
                tf.shape(state.last.ids)[1] > 0,
                lambda: stops.find_stops(
                    state.last, tf.where(is_written, ids, PAD), controls.stops, self._continue_text
                ),
                lambda: (state.last, tf.zeros_like(ids)),
            )
        is_stop = is_written & (cuts > 0) & (lengths >= controls.min_tokens)
        found = tf.where(is_stop, STOP, tf.where(lengths >= controls.max_tokens, LENGTH, RUNNING))
        return TextState(
            # What is appended to a text that has ended does not matter, but must not be padding.
            context=self._context.append(state.context, tf.where(is_written, ids, EOS)),
            tokens=penalties.append(state.tokens, tf.where(is_written, ids, PAD), controls, self.kinds),
            last=last,
            lengths=lengths,
            reasons=tf.where(is_running, tf.where(is_written, found, END), state.reasons),
            cuts=tf.where(is_stop, cuts, state.cuts),
        )

    def _continue_text(self, prompts: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Returns the text that ids, int32 [B, N] with PAD for none, add to prompts, string [B] → string [B]."""
        last = stops.last_characters(prompts)
        texts = self._preprocessor.tokenizer.join(last, self._preprocessor.decode(tf.RaggedTensor.from_tensor(ids)))
        begins = tf.strings.length(last)
        return tf.strings.substr(texts, begins, tf.strings.length(texts) - begins)

    def _token_texts(self, prompts: tf.Tensor, ids: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
        """Returns the text that each id adds.

        Args:
            prompts: string [B].
            ids: int32 [B, N] with PAD for none, the ids after the prompts, or the last of them.
            first: int32 [], index of the first id whose text is wanted; about 16 ids before it are enough.

        Returns:
            string [B, N - first]. Joined, these are `continue_text` of the ids, except that a sigma which is final
            only as long as nothing follows keeps that form.
        """
        rows, count = tf.shape(ids)[0], tf.shape(ids)[1] - first
        padded = tf.pad(ids, [[0, 0], [_TOKENS_BEFORE, 0]])[:, first:]
        indices = tf.range(count)[:, tf.newaxis] + tf.range(_TOKENS_BEFORE + 1)
        windows = tf.reshape(tf.gather(padded, indices, axis=1), [rows * count, _TOKENS_BEFORE + 1])
        repeated = tf.repeat(prompts, count)
        before = tf.strings.length(self._continue_text(repeated, windows[:, :-1]))
        whole = self._continue_text(repeated, windows)
        before = tf.minimum(before, tf.strings.length(whole))
        added = tf.strings.substr(whole, before, tf.strings.length(whole) - before)
        return tf.reshape(added, [rows, count])

    def _next_logits(self, prompts: tf.Tensor) -> tf.Tensor:
        """Returns the logits of the token after each prompt, string [B] → float32 [B, V]."""
        logits, _ = self._context.predict(self._context.begin(self.prompt_ids(prompts)))
        return logits

    def prompt_ids(self, prompts: tf.Tensor) -> tf.RaggedTensor:
        """Returns [BOS] and the ids of each prompt, ragged int32 [B, (T)]."""
        return self._after_bos(self._preprocessor.encode(prompts))

    def _after_bos(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        # No row may be empty: cuDNN refuses an empty window, and training has none.
        begins = tf.equal(ids.row_lengths(), 0) | self._boundaries
        begin = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.math.count_nonzero(begins)], BOS), tf.cast(begins, tf.int64)
        )
        return tf.concat([begin, ids], axis=1)

    def state_specs(self) -> TextState:
        """Returns the `tf.TensorSpec` of each tensor of the state."""
        row = tf.TensorSpec([None], tf.int32)
        return TextState(
            self._context.specs(), penalties.tokens_so_far_specs(), stops.last_tokens_specs(), row, row, row
        )


def _any(x: tf.Tensor) -> tf.TensorShape:
    return tf.TensorShape([None] * x.shape.rank)


def _batch_first(x: tf.Tensor) -> tf.Tensor:
    """Transposes [N, B, ...] → [B, N, ...]."""
    return tf.transpose(x, [1, 0, *range(2, x.shape.rank)])
