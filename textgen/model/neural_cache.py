"""Neural cache: mixes the predictions of a trained causal network with recently read tokens.

It is the continuous cache of Grave, Joulin & Usunier 2017, https://arxiv.org/abs/1612.04426, with the cosine instead
of the dot product. Each cached position j has a hidden vector h_j and the token y_j that followed it; its weight
grows with the similarity to the current hidden vector h:

    p(w) = (1 - λ) softmax(logits)(w) + λ Σ_j a_j [y_j = w],  a = softmax_j(θ cos(h, h_j))
"""

from collections.abc import Sequence
from typing import ClassVar

import tensorflow as tf

from textgen.config import PAD, NeuralCacheConfig
from textgen.model.masking import MASKED_LOGIT


class NeuralCache:
    """Mixes the logits of each position with the `config.tokens` positions before it in its row.

    Its states are the cached vectors, float32 [B, K, D], and the tokens that followed, int32 [B, K], PAD where none
    is cached. K grows from 0 to `config.tokens`.
    """

    STATES: ClassVar[int] = 2
    """Number of states."""

    def __init__(self, config: NeuralCacheConfig):
        """Sets the size, sharpness and weight of the cache."""
        self._config = config

    def initial_states(self, rows: int, width: int) -> list[tf.Tensor]:
        """Returns the states of an empty cache for `rows` rows of hidden vectors [width]."""
        return [tf.zeros([rows, 0, width]), tf.zeros([rows, 0], tf.int32)]

    def mix(
        self, logits: tf.Tensor, hidden: tf.Tensor, y: tf.Tensor, fresh: tf.Tensor, states: Sequence[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns the logits mixed with the cache, and the states with these positions added.

        Args:
            logits: float32 [B, W, V] of the network.
            hidden: float [B, W, D], the vectors from which the head computed them.
            y: int32 [B, W], the tokens that followed; PAD is not one. Each is in the cache for later positions only.
            fresh: bool [B], True where a row does not continue the previous one and its cache is emptied.
            states: states before these positions.

        Returns:
            Log-probabilities, float32 [B, W, V], which serve as logits, and the states after these positions.
        """
        cached_keys, cached_ids = states
        before = tf.where(fresh[:, tf.newaxis], PAD, cached_ids)
        vectors = _vectors(hidden)
        keys, ids = tf.concat([cached_keys, vectors], 1), tf.concat([before, y], 1)
        similarity = tf.matmul(vectors, keys, transpose_b=True)
        # Each position reads exactly the `tokens` positions before it, however the row is divided into batches.
        now = tf.shape(cached_ids)[1] + tf.range(tf.shape(y)[1])
        age = now[:, tf.newaxis] - tf.range(tf.shape(ids)[1])
        known = (ids != PAD)[:, tf.newaxis] & (age >= 1) & (age <= self._config.tokens)
        weights = tf.nn.softmax(tf.where(known, self._config.sharpness * similarity, MASKED_LOGIT))
        weight = self._config.weight * tf.cast(tf.reduce_any(known, -1, keepdims=True), tf.float32)
        cached = _by_token(weights * tf.cast(known, tf.float32), ids, tf.shape(logits)[-1])
        mixed = tf.reduce_logsumexp(
            [tf.math.log1p(-weight) + tf.nn.log_softmax(logits), tf.math.log(weight) + tf.math.log(cached)], axis=0
        )
        return mixed, [keys[:, -self._config.tokens :], ids[:, -self._config.tokens :]]

    def add(self, hidden: tf.Tensor, y: tf.Tensor, rows: tf.Tensor, states: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the states with further positions of some rows, without a mixture.

        Args:
            hidden: float [B, W, D].
            y: int32 [B, W].
            rows: bool [B], which rows the positions are added to; the others keep what they have, on the right.
            states: states before these positions.
        """
        vectors, chosen = _vectors(hidden), rows[:, tf.newaxis]
        (keys, ids), size = states, self._config.tokens
        with_new = tf.concat([keys, vectors], 1), tf.concat([ids, y], 1)
        without = tf.concat([tf.zeros_like(vectors), keys], 1), tf.concat([tf.fill(tf.shape(y), PAD), ids], 1)
        return [
            tf.where(chosen[..., tf.newaxis], with_new[0], without[0])[:, -size:],
            tf.where(chosen, with_new[1], without[1])[:, -size:],
        ]


def _vectors(hidden: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(tf.cast(hidden, tf.float32), axis=-1)


def _by_token(weights: tf.Tensor, ids: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Returns the sums of weights [B, W, K] over the positions of each id [B, K]: [B, W, size]."""
    rows, positions = tf.unstack(tf.shape(weights)[:2])
    first = tf.reshape(tf.range(rows * positions) * size, [rows, positions, 1])
    sums = tf.math.unsorted_segment_sum(weights, first + ids[:, tf.newaxis], rows * positions * size)
    return tf.reshape(sums, [rows, positions, size])


def spec_of_any_size(state: tf.Tensor) -> tf.TensorSpec:
    """Returns the spec of states [B, U], or of those of a cache, [B, K, D] or ids [B, K], for any B and K."""
    size = [state.shape[-1]] if state.dtype.is_floating else [None]
    return tf.TensorSpec([None] * (state.shape.rank - 1) + size, state.dtype)
