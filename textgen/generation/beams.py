"""Beam search: the continuations of a prompt that are most probable, instead of sampled ones."""

import tensorflow as tf

from textgen.config import EOS, PAD
from textgen.generation.controls import Controls, control_specs
from textgen.generation.generator import Generator
from textgen.generation.penalties import dense_biases
from textgen.generation.text_state import RUNNING, Generated, TextState, Written
from textgen.model.masking import MASKED_LOGIT


class BeamSearch(tf.Module):
    """Searches the most probable continuations of prompts.

    The score of a text is its log-probability, under penalties, biases and prohibitions but without temperature,
    divided by a power of its number of tokens, the length penalty: 0 prefers short texts, and 1 compares means per
    token. A text that has ended keeps its place among the beams as long as no other is better.
    """

    def __init__(self, generator: Generator):
        """Makes a search with the network and the kinds of controls of a generator."""
        super().__init__()
        self._generator = generator
        prompts = tf.TensorSpec([None], tf.string, "prompts")
        beams, penalty = tf.TensorSpec([], tf.int32, "beams"), tf.TensorSpec([], tf.float32, "length_penalty")
        self.search = tf.function(
            self._search, input_signature=[prompts, control_specs(), beams, penalty], autograph=False
        )

    def _search(self, prompts: tf.Tensor, controls: Controls, beams: tf.Tensor, penalty: tf.Tensor) -> Generated:
        """Returns the best texts of each prompt.

        Args:
            prompts: string [B].
            controls: the settings of each row; those of sampling are not heeded.
            beams: int32 [], number n of texts that are followed per prompt.
            penalty: float32 [], the length penalty.

        Returns:
            B · n texts, those of a prompt one after another, the best first, without alternatives.
        """
        repeated = tf.nest.map_structure(lambda tensor: tf.repeat(tensor, beams, axis=0), (prompts, controls))
        prompts, controls = repeated
        state = self._generator.begin(prompts, controls)
        rows = tf.shape(prompts)[0]
        biases = dense_biases(controls, self._generator.size)
        # All beams begin alike, and only the first is followed.
        scores = tf.where(tf.range(rows) % beams == 0, 0.0, MASKED_LOGIT)
        loop = (state, scores, tf.zeros([rows, 0], tf.int32), tf.zeros([rows, 0]))
        shapes = tf.nest.map_structure(lambda spec: spec.shape, self._generator.state_specs())
        any_length = tf.TensorShape([None, None])
        state, scores, ids, log_probabilities = tf.while_loop(
            lambda state, *_: tf.reduce_any(state.reasons == RUNNING),
            lambda *texts: self._step(*texts, controls=controls, beams=beams, penalty=penalty, biases=biases),
            loop,
            shape_invariants=(shapes, tf.TensorShape([None]), any_length, any_length),
        )
        alternatives = tf.zeros([rows, tf.shape(ids)[1], 0])
        written = Written(ids, log_probabilities, tf.cast(alternatives, tf.int32), alternatives)
        return self._generator.finish(prompts, state, written)

    def _step(
        self,
        state: TextState,
        scores: tf.Tensor,
        ids: tf.Tensor,
        log_probabilities: tf.Tensor,
        *,
        controls: Controls,
        beams: tf.Tensor,
        penalty: tf.Tensor,
        biases: tf.Tensor,
    ) -> tuple[TextState, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the best texts of each prompt with one more token.

        Args:
            state: the texts so far.
            scores: float32 [B · n], their log-probabilities with penalties and biases.
            ids: int32 [B · n, N], their tokens, with PAD after the end.
            log_probabilities: float32 [B · n, N], those of the tokens without penalties and biases.
            controls: the settings of each row.
            beams: n.
            penalty: the length penalty.
            biases: float32 [B · n, V], the biases of the controls.

        Returns:
            The first four for the new texts, with N + 1 tokens.
        """
        logits, _, context = self._generator.predict(state)
        totals = scores[:, tf.newaxis] + self._next(logits, state, controls, biases)
        parents, chosen, scores = _best(totals, state, beams, penalty)
        plain = tf.gather_nd(tf.nn.log_softmax(logits), tf.stack([parents, chosen], axis=1))
        kept = tf.nest.map_structure(
            lambda tensor: tf.gather(tensor, parents, axis=0),
            (state._replace(context=context), ids, log_probabilities),
        )
        state, ids, log_probabilities = kept
        is_written = (state.reasons == RUNNING) & (chosen != EOS)
        ids = tf.concat([ids, tf.where(is_written, chosen, PAD)[:, tf.newaxis]], axis=1)
        log_probabilities = tf.concat([log_probabilities, tf.where(is_written, plain, 0.0)[:, tf.newaxis]], axis=1)
        return self._generator.append(state, chosen, controls), scores, ids, log_probabilities

    def _next(self, logits: tf.Tensor, state: TextState, controls: Controls, biases: tf.Tensor) -> tf.Tensor:
        """Returns the log-probability of each next token; a text that has ended has PAD alone, with 0."""
        allowed = self._generator.allowed(logits, state, controls, biases)
        found = tf.nn.log_softmax(tf.maximum(allowed, MASKED_LOGIT))
        found = tf.where(allowed > MASKED_LOGIT / 2, found, MASKED_LOGIT)
        ended = tf.where(tf.range(self._generator.size) == PAD, 0.0, MASKED_LOGIT)
        return tf.where((state.reasons == RUNNING)[:, tf.newaxis], found, ended)


def _best(
    totals: tf.Tensor, state: TextState, beams: tf.Tensor, penalty: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the best texts of each prompt with one more token.

    Args:
        totals: float32 [B · n, V], log-probability of each text with each token.
        state: the texts before.
        beams: n.
        penalty: the length penalty.

    Returns:
        The row of the text before, int32 [B · n], its next token, int32 [B · n], and the log-probability of both,
        float32 [B · n]; those of a prompt by falling score.
    """
    size = tf.shape(totals)[1]
    adds = (state.reasons == RUNNING)[:, tf.newaxis] & (tf.range(size) != EOS)
    lengths = tf.cast(state.lengths[:, tf.newaxis] + tf.cast(adds, tf.int32), tf.float32)
    scores = totals / tf.maximum(lengths, 1.0) ** penalty
    # What is not allowed must stay the worst, however long the text.
    scores = tf.where(totals > MASKED_LOGIT / 2, scores, 2 * MASKED_LOGIT)
    best = tf.math.top_k(tf.reshape(scores, [-1, beams * size]), beams).indices
    first = tf.range(tf.shape(best)[0])[:, tf.newaxis] * beams
    parents, chosen = tf.reshape(first + best // size, [-1]), tf.reshape(best % size, [-1])
    found = tf.gather_nd(totals, tf.stack([parents, chosen], axis=1))
    # With fewer texts than beams, a token that is not allowed would be taken.
    return parents, tf.where(found > MASKED_LOGIT / 2, chosen, EOS), found
