"""Samples tokens from logits, with top-k, top-p and min-p, and random numbers that depend on the text alone."""

from typing import NamedTuple

import tensorflow as tf

from textgen.model.masking import MASKED_LOGIT

_COLDEST, _HOTTEST = 1e-6, 1e6
"""Limits of the temperature. Beyond them a quotient would overflow, or a token with MASKED_LOGIT become possible,
while the samples would not differ from the likeliest token or from uniform ones."""

_COLD = 1e-3
"""Temperature from which on no quotient of a logit of less than 1e30 overflows."""

_CANDIDATES = 256
"""Number of likeliest tokens among which those of top-p are looked for first."""

_BLOCK = 64
"""Number of tokens whose probabilities are summed before they are accumulated, which is slow."""


def uniform(seeds: tf.Tensor, samples: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Returns a random number per row, uniform in [0, 1), that depends on the row's three numbers alone.

    Each number is mixed in by the output function of SplitMix64 (Steele, Lea & Flood 2014,
    https://doi.org/10.1145/2660193.2660195), so that a text does not depend on the others in its batch.

    Args:
        seeds: int64 [B], at least 0.
        samples: int32 [B], at least 0.
        positions: int32 [B], at least 0.

    Returns:
        float64 [B].
    """
    state = tf.zeros_like(seeds, tf.uint64)
    for number in (seeds, samples, positions):
        state = _mix(state + (tf.cast(number, tf.uint64) + _uint64(1)) * _uint64(0x9E3779B97F4A7C15))
    return tf.cast(tf.bitwise.right_shift(state, _uint64(11)), tf.float64) * 2.0**-53


def _mix(z: tf.Tensor) -> tf.Tensor:
    z = _shift_and_xor(z, 30) * _uint64(0xBF58476D1CE4E5B9)
    return _shift_and_xor(_shift_and_xor(z, 27) * _uint64(0x94D049BB133111EB), 31)


def _shift_and_xor(z: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(z, tf.bitwise.right_shift(z, _uint64(bits)))


def _uint64(number: int) -> tf.Tensor:
    return tf.constant(number, tf.uint64)


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


def sample(
    logits: tf.Tensor, *, temperatures: tf.Tensor, numbers: tf.Tensor, limits: Limits | None = None
) -> tf.Tensor:
    """Samples one id per row from softmax(logits / temperature) of the tokens that the limits leave.

    Args:
        logits: float32 [B, V], MASKED_LOGIT or less for tokens that are not allowed.
        temperatures: float32 [B], at least 0; 0 takes the likeliest.
        numbers: float64 [B], random numbers in [0, 1).
        limits: top-k, top-p and min-p; None for none.

    Returns:
        int32 [B].
    """
    is_warm = temperatures > 0
    divisors = tf.where(is_warm, tf.clip_by_value(temperatures, _COLDEST, _HOTTEST), 1.0)[:, tf.newaxis]
    # Each pass over all logits of a batch takes time.
    drawn = tf.cond(
        tf.reduce_any(is_warm),
        lambda: draw(_weights(logits, divisors, limits), numbers),
        lambda: tf.zeros_like(temperatures, tf.int32),
    )
    return tf.cond(
        tf.reduce_all(is_warm),
        lambda: drawn,
        lambda: tf.where(is_warm, drawn, tf.argmax(logits, axis=-1, output_type=tf.int32)),
    )


def _weights(logits: tf.Tensor, divisors: tf.Tensor, limits: Limits | None) -> tf.Tensor:
    """Returns the probabilities of softmax(logits / divisors), float32 [B, V], 0 beyond the limits.

    A token that is not allowed stays so far below the others that it has 0 at the highest temperature too.
    """

    def shifted() -> tf.Tensor:
        # The largest becomes 0 first, so that no quotient overflows upwards however low the temperature.
        return (logits - tf.reduce_max(logits, axis=-1, keepdims=True)) / divisors

    def softmax() -> tf.Tensor:
        is_safe = tf.reduce_all(divisors >= _COLD)
        return tf.nn.softmax(tf.cond(is_safe, lambda: logits / divisors, shifted))

    if limits is None:
        return softmax()
    return tf.cond(
        tf.reduce_any((limits.top_k > 0) | (limits.top_p < 1) | (limits.min_p > 0)),
        lambda: _restrict(shifted(), limits),
        softmax,
    )


def _restrict(logits: tf.Tensor, limits: Limits) -> tf.Tensor:
    """Returns the probabilities of the tokens that stay, and 0 for others; the likeliest always stays."""
    top_k, top_p, min_p = limits
    size = tf.shape(logits)[-1]
    limit = tf.where((top_k > 0) & (top_k < size), top_k, size)
    # Without a limit in any row one value is looked up, for the shape.
    most = tf.maximum(tf.reduce_max(tf.where(limit < size, limit, 1)), 1)
    values = tf.math.top_k(logits, most).values
    smallest = tf.gather(values, tf.minimum(limit, most) - 1, batch_dims=1)
    lowest = tf.where(limit < size, smallest, MASKED_LOGIT)
    probabilities = tf.nn.softmax(tf.where(logits >= lowest[:, tf.newaxis], logits, MASKED_LOGIT))
    likeliest = tf.reduce_max(probabilities, axis=-1)
    least = tf.maximum(_least_of_nucleus(probabilities, top_p), min_p * likeliest)
    kept = probabilities >= tf.minimum(least, likeliest)[:, tf.newaxis]
    return tf.where(kept, probabilities, 0.0)


def _least_of_nucleus(probabilities: tf.Tensor, top_p: tf.Tensor) -> tf.Tensor:
    """Returns the smallest probability, float32 [B], among the fewest tokens that hold `top_p` of it; 0 at 1."""
    everything = top_p >= 1
    size = tf.shape(probabilities)[-1]
    values = tf.math.top_k(probabilities, tf.minimum(_CANDIDATES, size)).values
    is_inside = tf.cumsum(values, axis=-1, exclusive=True) < top_p[:, tf.newaxis]
    is_found = tf.reduce_all(everything | ~is_inside[:, -1]) | (size <= _CANDIDATES)
    found = tf.cond(
        is_found,
        lambda: tf.reduce_min(tf.where(is_inside, values, 1.0), axis=-1),
        lambda: _bisect_nucleus(probabilities, top_p),
    )
    return tf.where(everything, 0.0, found)


def _bisect_nucleus(probabilities: tf.Tensor, top_p: tf.Tensor) -> tf.Tensor:
    """Returns the smallest number, float32 [B], above which tokens hold less than `top_p`, in less time than sorting.

    A token is in the nucleus if those that are likelier hold less than that. Positive floats are in the order of
    their bits, whose midpoints halve what is left however small the numbers.
    """

    def halve(low: tf.Tensor, high: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        middle = low + (high - low) // 2
        is_likelier = probabilities > tf.bitcast(middle, tf.float32)[:, tf.newaxis]
        is_enough = tf.reduce_sum(tf.where(is_likelier, probabilities, 0.0), axis=-1) < top_p
        return tf.where(is_enough, low, middle + 1), tf.where(is_enough, middle, high)

    highest = tf.bitcast(tf.reduce_max(probabilities, axis=-1), tf.int32)
    least, _ = tf.while_loop(lambda low, high: tf.reduce_any(low < high), halve, (tf.zeros_like(highest), highest))
    return tf.bitcast(least, tf.float32)


def draw(weights: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """Returns the id, int32 [B], at which the cumulative sum of weights, float32 [B, V], exceeds `numbers` of all.

    A token of weight 0 is never returned. Sums are made of blocks first, and then inside one block.
    """
    rows, size = tf.unstack(tf.shape(weights))
    padded = tf.pad(weights, [[0, 0], [0, -size % _BLOCK]])
    blocks = tf.reshape(padded, [rows, (size + _BLOCK - 1) // _BLOCK, _BLOCK])
    block, rest = _find(tf.cast(tf.reduce_sum(blocks, axis=-1), tf.float64), numbers)
    inside = tf.cast(tf.gather(blocks, block, batch_dims=1), tf.float64)
    return block * _BLOCK + _find(inside, rest)[0]


def _find(weights: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds where the cumulative sum of weights, float64 [B, N], exceeds a fraction of the whole sum.

    Returns:
        The index, int32 [B], and how far into its weight the fraction lies, float64 [B] in [0, 1).
    """
    sums = tf.cumsum(weights, axis=-1)
    wanted = numbers * sums[:, -1]
    index = tf.math.count_nonzero(sums <= wanted[:, tf.newaxis], axis=-1, dtype=tf.int32)
    index = tf.minimum(index, tf.shape(weights)[-1] - 1)
    weight = tf.gather(weights, index, batch_dims=1)
    begin = tf.gather(sums, index, batch_dims=1) - weight
    return index, tf.clip_by_value(tf.math.divide_no_nan(wanted - begin, weight), 0.0, 1 - 2.0**-40)
