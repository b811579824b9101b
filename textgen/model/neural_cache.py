"""A memory of what was read lately, that a trained `lstm` looks up: text repeats its names and its turns of phrase.

It is the continuous cache of Grave, Joulin & Usunier 2017, https://arxiv.org/abs/1612.04426, with the cosine for
the dot product. Each remembered place j has its hidden vector h_j and the token y_j that came after it; the more a
place is like the present one, the more weight it gives to its token:

    p(w) = (1 - λ) softmax(scores)(w) + λ Σ_j a_j [y_j = w],  a = softmax_j(θ cos(h, h_j))
"""

import tensorflow as tf

from textgen.config import PAD, NeuralCacheConfig
from textgen.model.masking import MASKED_LOGIT


class Memory:
    """What each of some rows has read, up to `config.tokens` places back."""

    def __init__(self, config: NeuralCacheConfig, *, rows: int, width: int):
        """`width` is that of hidden vectors."""
        self._config = config
        self._keys = tf.Variable(tf.zeros([rows, config.tokens, width]), trainable=False)
        # PAD where nothing is remembered.
        self._ids = tf.Variable(tf.zeros([rows, config.tokens], tf.int32), trainable=False)

    def recall(self, scores: tf.Tensor, hidden: tf.Tensor, y: tf.Tensor, fresh: tf.Tensor) -> tf.Tensor:
        """Mixes what is remembered into the scores, place by place, and remembers these places.

        Args:
            scores: float32 [B, W, V] of the network.
            hidden: float [B, W, D], what they were made of.
            y: int32 [B, W], the tokens that came; PAD where none did. Each is seen from the next place on.
            fresh: bool [B], which rows begin anew, with nothing remembered.

        Returns:
            Float32 [B, W, V], the logarithms of probabilities, which are scores too.
        """
        before = tf.where(fresh[:, tf.newaxis], PAD, self._ids)
        vectors = tf.math.l2_normalize(tf.cast(hidden, tf.float32), axis=-1)
        keys, ids = tf.concat([self._keys, vectors], 1), tf.concat([before, y], 1)
        likeness = tf.matmul(vectors, keys, transpose_b=True)
        read = self._config.tokens + tf.range(tf.shape(y)[1])
        known = (ids != PAD)[:, tf.newaxis] & (tf.range(tf.shape(ids)[1]) < read[:, tf.newaxis])
        weights = tf.nn.softmax(tf.where(known, self._config.sharpness * likeness, MASKED_LOGIT))
        share = self._config.weight * tf.cast(tf.reduce_any(known, -1, keepdims=True), tf.float32)
        self._keys.assign(keys[:, -self._config.tokens :])
        self._ids.assign(ids[:, -self._config.tokens :])
        remembered = _by_token(weights * tf.cast(known, tf.float32), ids, tf.shape(scores)[-1])
        return tf.reduce_logsumexp(
            [tf.math.log1p(-share) + tf.nn.log_softmax(scores), tf.math.log(share) + tf.math.log(remembered)], axis=0
        )


def _by_token(weights: tf.Tensor, ids: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Sums weights [B, W, K] of places with ids [B, K] for each of `size` tokens: [B, W, size]."""
    rows, places = tf.unstack(tf.shape(weights)[:2])
    first = tf.reshape(tf.range(rows * places) * size, [rows, places, 1])
    sums = tf.math.unsorted_segment_sum(weights, first + ids[:, tf.newaxis], rows * places * size)
    return tf.reshape(sums, [rows, places, size])
