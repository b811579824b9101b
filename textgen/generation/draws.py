"""Draws tokens by weights, with random numbers that depend on the text alone."""

import tensorflow as tf

_BLOCK = 64
"""Number of tokens whose weights are summed before they are accumulated, which is slow."""


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
    return _to_number(state)


def next_numbers(numbers: tf.Tensor) -> tf.Tensor:
    """Returns further random numbers, each from the one before, float64 [B] → float64 [B]."""
    return _to_number(_mix(tf.bitcast(numbers, tf.uint64) + _uint64(0x9E3779B97F4A7C15)))


def _to_number(state: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.bitwise.right_shift(state, _uint64(11)), tf.float64) * 2.0**-53


def _mix(z: tf.Tensor) -> tf.Tensor:
    z = _shift_and_xor(z, 30) * _uint64(0xBF58476D1CE4E5B9)
    return _shift_and_xor(_shift_and_xor(z, 27) * _uint64(0x94D049BB133111EB), 31)


def _shift_and_xor(z: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(z, tf.bitwise.right_shift(z, _uint64(bits)))


def _uint64(number: int) -> tf.Tensor:
    return tf.constant(number, tf.uint64)


def draw(weights: tf.Tensor, numbers: tf.Tensor, factors: tf.Tensor | None = None) -> tf.Tensor:
    """Returns the id at which the cumulative sum of weights exceeds a fraction of the whole sum.

    A token of weight 0 is never returned. Sums are made of blocks first, and then inside one block.

    Args:
        weights: float32 [B, V].
        numbers: float64 [B], the fractions, in [0, 1).
        factors: float32 [B, N], what the first N weights are multiplied by, N at most 64; None for 1.

    Returns:
        int32 [B].
    """
    rows, size = tf.shape(weights)[0], weights.shape[-1] or tf.shape(weights)[-1]
    # Each pass over all logits of a batch takes time, also one that adds no column.
    is_even = isinstance(size, int) and not size % _BLOCK
    padded = weights if is_even else tf.pad(weights, [[0, 0], [0, -size % _BLOCK]])
    blocks = tf.reshape(padded, [rows, -1, _BLOCK])
    sums, first = tf.reduce_sum(blocks, axis=-1), blocks[:, 0]
    if factors is not None:
        first *= tf.pad(factors, [[0, 0], [0, _BLOCK - tf.shape(factors)[1]]], constant_values=1.0)
        sums = tf.concat([tf.reduce_sum(first, axis=-1, keepdims=True), sums[:, 1:]], axis=1)
    block, rest = find(tf.cast(sums, tf.float64), numbers)
    inside = tf.where((block == 0)[:, tf.newaxis], first, tf.gather(blocks, block, batch_dims=1))
    return block * _BLOCK + find(tf.cast(inside, tf.float64), rest)[0]


def find(weights: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
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
