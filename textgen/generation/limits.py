"""Sampling with top-k, top-p and min-p."""

import math
from typing import NamedTuple

import tensorflow as tf

from textgen.generation.draws import draw, find, next_numbers
from textgen.model.masking import MASKED_LOGIT

_MOST_SORTED = 256
"""Largest top-k whose tokens are sorted."""

_DRAWS = 12
"""Number of draws after which a nucleus is searched, in up to 31 passes over the weights; a draw takes two."""


class Limits(NamedTuple):
    """Limits to the tokens that are sampled from, one row per text.

    Attributes:
        top_k: int32 [B]; 0, or more than V, for all tokens.
        top_p: float32 [B], above 0; 1 for all tokens.
        min_p: float32 [B]; 0 for all tokens.
    """

    top_k: tf.Tensor
    top_p: tf.Tensor
    min_p: tf.Tensor


def sample_limited(logits: tf.Tensor, limits: Limits, numbers: tf.Tensor) -> tf.Tensor:
    """Samples from the tokens that the limits leave.

    Args:
        logits: float32 [B, V], of which the largest is 0.
        limits: the limits of each row.
        numbers: float64 [B].

    Returns:
        int32 [B]. Which way a row is sampled depends on this row alone.
    """
    has_few = (limits.top_k > 0) & (limits.top_k <= _MOST_SORTED)
    few = tf.cond(
        tf.reduce_any(has_few),
        lambda: _sample_likeliest(logits, limits, numbers),
        lambda: tf.zeros_like(limits.top_k),
    )
    return tf.cond(
        tf.reduce_all(has_few), lambda: few, lambda: tf.where(has_few, few, _sample_many(logits, limits, numbers))
    )


def _sample_likeliest(logits: tf.Tensor, limits: Limits, numbers: tf.Tensor) -> tf.Tensor:
    """Samples from few tokens, which are sorted; rows of another top-k than 1 to `_MOST_SORTED` have no meaning."""
    top_k = tf.clip_by_value(limits.top_k, 1, tf.minimum(_MOST_SORTED, tf.shape(logits)[-1]))
    values, ids = tf.math.top_k(logits, tf.reduce_max(top_k))
    rank = tf.range(tf.shape(values)[1])
    weights = tf.where(rank < top_k[:, tf.newaxis], tf.exp(values), 0.0)
    before = tf.cumsum(weights, axis=-1, exclusive=True)
    inside = (limits.top_p * tf.reduce_sum(weights, axis=-1))[:, tf.newaxis]
    # The weight of the likeliest is 1.
    is_kept = (rank == 0) | (before < inside) & (weights >= limits.min_p[:, tf.newaxis])
    index, _ = find(tf.cast(tf.where(is_kept, weights, 0.0), tf.float64), numbers)
    return tf.gather(ids, index, batch_dims=1)


def _sample_many(logits: tf.Tensor, limits: Limits, numbers: tf.Tensor) -> tf.Tensor:
    """Samples from tokens of any number, which are not sorted."""
    top_k, top_p, min_p = limits
    size = tf.shape(logits)[-1]
    is_cut = (top_k > 0) & (top_k < size)
    weights = tf.cond(
        tf.reduce_any(is_cut),
        lambda: tf.where(logits >= _kth(logits, tf.where(is_cut, top_k, size)), tf.exp(logits), 0.0),
        lambda: tf.exp(logits),
    )
    inside = tf.where(top_p < 1, top_p * tf.reduce_sum(weights, axis=-1), math.inf)
    # The weight of the likeliest is 1.
    weights = tf.cond(
        tf.reduce_any(min_p > 0),
        lambda: tf.where(weights >= min_p[:, tf.newaxis], weights, 0.0),
        lambda: weights,
    )
    return _draw_from_nucleus(weights, inside, numbers)


def _kth(logits: tf.Tensor, ranks: tf.Tensor) -> tf.Tensor:
    """Returns the logit of a rank, int32 [B], 1 for the largest, float32 [B, 1]; MASKED_LOGIT for the last rank."""
    size = tf.shape(logits)[-1]
    values = tf.math.top_k(logits, tf.reduce_max(tf.where(ranks < size, ranks, 1))).values
    found = tf.gather(values, tf.minimum(ranks, tf.shape(values)[1]) - 1, batch_dims=1)
    return tf.where(ranks < size, found, MASKED_LOGIT)[:, tf.newaxis]


def _draw_from_nucleus(weights: tf.Tensor, inside: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """Draws a token from those before which, by falling weight, less than `inside` of the weight comes.

    A token is drawn from all until it is such a one, which most are, and for this one sum over the likelier tokens is
    enough; the nucleus is searched for rows that have no such token after `_DRAWS`.

    Args:
        weights: float32 [B, V].
        inside: float32 [B].
        numbers: float64 [B], random numbers in [0, 1).

    Returns:
        int32 [B].
    """

    def draw_again(
        draws: tf.Tensor, ids: tf.Tensor, is_inside: tf.Tensor, numbers: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        drawn = draw(weights, numbers)
        weight = tf.gather(weights, drawn, batch_dims=1)[:, tf.newaxis]
        before = tf.reduce_sum(tf.where(weights > weight, weights, 0.0), axis=-1)
        # The likeliest is inside however small the nucleus.
        now_inside = (before < inside) | (before == 0)
        return draws + 1, tf.where(is_inside, ids, drawn), is_inside | now_inside, next_numbers(numbers)

    def search() -> tf.Tensor:
        least = _bisect_nucleus(weights, inside)
        kept = weights >= tf.minimum(least, tf.reduce_max(weights, axis=-1))[:, tf.newaxis]
        return tf.where(is_inside, ids, draw(tf.where(kept, weights, 0.0), numbers))

    nothing = tf.zeros_like(numbers, tf.int32)
    _, ids, is_inside, _ = tf.while_loop(
        lambda draws, _, is_inside, __: (draws < _DRAWS) & ~tf.reduce_all(is_inside),
        draw_again,
        (tf.constant(0), nothing, tf.zeros_like(nothing, tf.bool), numbers),
    )
    return tf.cond(tf.reduce_all(is_inside), lambda: ids, search)


def _bisect_nucleus(weights: tf.Tensor, inside: tf.Tensor) -> tf.Tensor:
    """Returns the smallest number, float32 [B], above which tokens hold less than `inside`, faster than by sorting.

    Positive floats are in the order of their bits, whose midpoints halve what is left however small the numbers.
    """

    def halve(low: tf.Tensor, high: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        middle = low + (high - low) // 2
        is_likelier = weights > tf.bitcast(middle, tf.float32)[:, tf.newaxis]
        is_enough = tf.reduce_sum(tf.where(is_likelier, weights, 0.0), axis=-1) < inside
        return tf.where(is_enough, low, middle + 1), tf.where(is_enough, middle, high)

    highest = tf.bitcast(tf.reduce_max(weights, axis=-1), tf.int32)
    least, _ = tf.while_loop(lambda low, high: tf.reduce_any(low < high), halve, (tf.zeros_like(highest), highest))
    return tf.bitcast(least, tf.float32)
