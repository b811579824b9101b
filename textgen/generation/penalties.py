"""Changes of logits by what stands in the text so far: penalties, biases, and n-grams that may not repeat."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from textgen.config import BOS, EOS, PAD, UNK
from textgen.generation.controls import ALL_KINDS, UNUSED_ID, Controls, Kinds
from textgen.model.masking import MASKED_LOGIT


class TokensSoFar(NamedTuple):
    """Tokens of each text that penalties depend on; a width is 0 where no text of the batch needs it.

    Attributes:
        in_prompt: bool [B, V or 0], whether a token stands in the prompt.
        counts: float32 [B, V or 0], number of occurrences of a token in the new text.
        history: int32 [B, H], ids of the prompt and the new text, filled up on the left with -1.
    """

    in_prompt: tf.Tensor
    counts: tf.Tensor
    history: tf.Tensor


def tokens_so_far_specs() -> TokensSoFar:
    """Returns the `tf.TensorSpec` of each tensor."""
    return TokensSoFar(*(tf.TensorSpec([None, None], dtype) for dtype in (tf.bool, tf.float32, tf.int32)))


def begin(ids: tf.RaggedTensor, controls: Controls, size: int, kinds: Kinds = ALL_KINDS) -> TokensSoFar:
    """Returns the state after prompts.

    Args:
        ids: ragged int32 [B, (T)] of the prompts.
        controls: the controls of each row.
        size: V, the number of ids.
        kinds: kinds of controls that are heeded.
    """
    rows = tf.cast(ids.nrows(), tf.int32)

    def in_prompt() -> tf.Tensor:
        indices = tf.stack([tf.cast(ids.value_rowids(), tf.int32), ids.flat_values], axis=1)
        is_there = tf.ones_like(ids.flat_values, tf.bool)
        return tf.tensor_scatter_nd_update(tf.zeros([rows, size], tf.bool), indices, is_there)

    def nothing(dtype: tf.DType) -> tf.Tensor:
        return tf.zeros([rows, 0], dtype)

    counted, counts, history = nothing(tf.bool), nothing(tf.float32), nothing(tf.int32)
    if kinds.penalties:
        counted, counts = tf.cond(
            tf.reduce_any(
                (controls.repetition_penalty != 1)
                | (controls.presence_penalty != 0)
                | (controls.frequency_penalty != 0)
            ),
            lambda: (in_prompt(), tf.zeros([rows, size])),
            lambda: (nothing(tf.bool), nothing(tf.float32)),
        )
    if kinds.ngrams:
        history = tf.cond(
            tf.reduce_any(controls.no_repeat_ngram > 0),
            lambda: tf.reverse(tf.reverse(ids, [1]).to_tensor(UNUSED_ID), [1]),
            lambda: nothing(tf.int32),
        )
    return TokensSoFar(counted, counts, history)


def append(so_far: TokensSoFar, ids: tf.Tensor, controls: Controls, kinds: Kinds = ALL_KINDS) -> TokensSoFar:
    """Returns the state after one more id per row, int32 [B]."""
    in_prompt, counts, history = so_far
    if kinds.penalties:
        indices = tf.stack([tf.range(tf.shape(ids)[0]), ids], axis=1)
        counts = tf.cond(
            tf.shape(counts)[1] > 0,
            lambda: tf.tensor_scatter_nd_add(counts, indices, tf.ones_like(ids, tf.float32)),
            lambda: counts,
        )
    if kinds.ngrams:
        history = tf.cond(
            tf.reduce_any(controls.no_repeat_ngram > 0),
            lambda: tf.concat([history, ids[:, tf.newaxis]], axis=1),
            lambda: history,
        )
    return TokensSoFar(in_prompt, counts, history)


def adjust(
    logits: tf.Tensor, so_far: TokensSoFar, biases: tf.Tensor, controls: Controls, kinds: Kinds = ALL_KINDS
) -> tf.Tensor:
    """Returns the logits with all penalties, biases and prohibitions.

    Args:
        logits: float32 [B, V].
        so_far: the text before.
        biases: float32 [B, V], of `dense_biases`.
        controls: the controls of each row.
        kinds: kinds of controls that are heeded.

    Returns:
        Float32 [B, V], MASKED_LOGIT or less for what is not allowed.
    """
    if kinds.penalties:
        unchanged = logits
        logits = tf.cond(
            tf.shape(so_far.counts)[1] > 0, lambda: _penalize(unchanged, so_far, controls), lambda: unchanged
        )
    biased = logits + biases
    if not kinds.ngrams:
        return biased
    return tf.cond(
        tf.reduce_any(controls.no_repeat_ngram > 0),
        lambda: tf.where(_completes_ngram(so_far.history, controls.no_repeat_ngram, biased), MASKED_LOGIT, biased),
        lambda: biased,
    )


def dense_biases(controls: Controls, size: int) -> tf.Tensor:
    """Returns what is added to the logits of each row, float32 [B, V].

    [PAD], [UNK] and [BOS] are never allowed, and [EOS] only where a text may end.
    """
    rows = tf.shape(controls.bias_ids)[0]
    is_used = controls.bias_ids != UNUSED_ID
    indices = tf.where(is_used)
    columns = tf.cast(tf.boolean_mask(controls.bias_ids, is_used), tf.int64)
    given = tf.scatter_nd(
        tf.stack([indices[:, 0], columns], axis=1),
        tf.boolean_mask(controls.biases, is_used),
        tf.cast([rows, size], tf.int64),
    )
    allowed = given + MASKED_LOGIT * tf.reduce_sum(tf.one_hot([PAD, UNK, BOS], size), axis=0)
    return forbid_end(allowed, ~controls.may_end)


def forbid_end(logits: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Returns logits, float32 [B, V], with [EOS] masked in the given rows, bool [B]."""
    is_end = tf.range(tf.shape(logits)[1]) == EOS
    return tf.where(rows[:, tf.newaxis] & is_end, MASKED_LOGIT, logits)


def settle_end(logits: tf.Tensor, too_short: tf.Tensor) -> tf.Tensor:
    """Returns logits, float32 [B, V], with [EOS] masked in texts that are too short, and allowed where nothing is.

    Args:
        logits: float32 [B, V], of `adjust`.
        too_short: bool [B].
    """

    def where_any(rows: tf.Tensor, changed: Callable[[], tf.Tensor], unchanged: tf.Tensor) -> tf.Tensor:
        # Each pass over all logits of a batch takes time, and few texts need one of these.
        return tf.cond(tf.reduce_any(rows), changed, lambda: unchanged)

    settled = where_any(too_short, lambda: forbid_end(logits, too_short), logits)
    nothing = tf.reduce_max(settled, axis=-1) <= MASKED_LOGIT / 2
    is_end = tf.range(tf.shape(logits)[1]) == EOS
    return where_any(nothing, lambda: tf.where(nothing[:, tf.newaxis] & is_end, 0.0, settled), settled)


def _penalize(logits: tf.Tensor, so_far: TokensSoFar, controls: Controls) -> tf.Tensor:
    """Applies the repetition penalty of Keskar et al. 2019, https://arxiv.org/abs/1909.05858, then the other two."""
    factor = controls.repetition_penalty[:, tf.newaxis]
    is_written = so_far.counts > 0
    logits = tf.where(so_far.in_prompt | is_written, tf.where(logits > 0, logits / factor, logits * factor), logits)
    presence = controls.presence_penalty[:, tf.newaxis] * tf.cast(is_written, tf.float32)
    return logits - presence - controls.frequency_penalty[:, tf.newaxis] * so_far.counts


def _completes_ngram(history: tf.Tensor, sizes: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns whether each token would complete an n-gram that stands in the history, bool [B, V].

    Args:
        history: int32 [B, H].
        sizes: int32 [B], n of each row; 0 for none.
        logits: float32 [B, V], for its shape.
    """
    length = tf.shape(history)[1]

    def compare(back: tf.Tensor, matches: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Column i says whether the tokens before i end as the history ends.
        before = tf.pad(history[:, : length - back], [[0, 0], [back, 0]], constant_values=UNUSED_ID)
        last = history[:, length - back, tf.newaxis]
        return back + 1, matches & ((before == last) | (back >= sizes)[:, tf.newaxis])

    longest = tf.minimum(tf.reduce_max(sizes), length + 1)
    _, matches = tf.while_loop(
        lambda back, _: back < longest,
        compare,
        (tf.constant(1), (history != UNUSED_ID) & ((sizes > 0) & (sizes <= length + 1))[:, tf.newaxis]),
    )
    indices = tf.where(matches)
    columns = tf.cast(tf.boolean_mask(history, matches), tf.int64)
    found = tf.scatter_nd(
        tf.stack([indices[:, 0], columns], axis=1), tf.ones_like(columns, tf.int32), tf.shape(logits, tf.int64)
    )
    return found > 0
