"""From a hidden vector to the scores of all tokens, and the loss that looks at a few of them alone."""

from typing import Any

import keras
import tensorflow as tf

from textgen.model.masking import MASKED_LOGIT


class Logits(keras.layers.Layer):
    """hidden [..., D] → float32 scores [..., V]: hidden · tableᵀ + bias.

    The table [V, D] has a token a row, as an embedding has, so that it may be the embedding's own, and so that a
    sampled softmax reads the rows that it draws. Scores stay float32 under mixed precision: a softmax over many
    tokens needs the digits.

    Attributes:
        vocabulary_size: V.
        bias: float32 [V].
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        tied_to: keras.layers.Embedding | None = None,
        dtype: str = "float32",
        **settings: Any,
    ):
        """`tied_to`: the embedding whose table is used."""
        super().__init__(dtype=dtype, **settings)
        self.vocabulary_size, self._tied_to = vocabulary_size, tied_to
        self.supports_masking = True

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the weights."""
        if self._tied_to is None:
            self._own_table = self.add_weight(
                shape=(self.vocabulary_size, shape[-1]), initializer="glorot_uniform", name="table"
            )
        self.bias = self.add_weight(shape=(self.vocabulary_size,), initializer="zeros", name="bias")

    @property
    def table(self) -> keras.Variable:
        """float32 [V, D]."""
        return self._own_table if self._tied_to is None else self._tied_to.embeddings

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        """See the class."""
        rows = tf.reshape(hidden, [-1, hidden.shape[-1]])
        scores = tf.matmul(rows, tf.convert_to_tensor(self.table), transpose_b=True) + self.bias
        return tf.reshape(scores, tf.concat([tf.shape(hidden)[:-1], [self.vocabulary_size]], axis=0))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """[..., V]."""
        return (*shape[:-1], self.vocabulary_size)


def sampled_losses(
    logits: Logits, hidden: tf.Tensor, targets: tf.Tensor, *, samples: int, seed: tf.Tensor
) -> tf.Tensor:
    """The cross-entropy with the sum over all tokens estimated from some that are drawn: float32 [N].

    Importance sampling as in Jean et al. 2015, https://arxiv.org/abs/1412.2007. Tokens are drawn with replacement
    from a log-uniform distribution, which ids sorted by falling frequency make a likely one (Zipf): P(i) = ln((i + 2)
    / (i + 1)) / ln(V + 1). The draw is a function of the seed alone, so all replicas draw the same and a resumed run
    draws on.

    Args:
        logits: the layer that has the table.
        hidden: float [N, D].
        targets: int32 [N].
        samples: tokens drawn.
        seed: int32 [2].
    """
    table, bias = tf.convert_to_tensor(logits.table), tf.convert_to_tensor(logits.bias)
    hidden, size = tf.cast(hidden, tf.float32), bias.shape[0]
    uniform = tf.random.stateless_uniform([samples], seed, dtype=tf.float64)
    drawn = tf.cast(tf.exp(uniform * tf.math.log(tf.cast(size + 1, tf.float64))), tf.int32) - 1
    drawn = tf.clip_by_value(drawn, 0, size - 1)
    expected = samples * tf.math.log1p(1 / (tf.cast(drawn, tf.float32) + 1)) / tf.math.log(float(size + 1))
    own = tf.reduce_sum(hidden * tf.gather(table, targets), axis=-1) + tf.gather(bias, targets)
    others = tf.matmul(hidden, tf.gather(table, drawn), transpose_b=True)
    others += tf.gather(bias, drawn) - tf.math.log(expected)
    # The target is there for certain. TensorFlow's own sampled softmax leaves it out once, however often it is drawn.
    others = tf.where(tf.equal(drawn, targets[:, None]), MASKED_LOGIT, others)
    return tf.reduce_logsumexp(tf.concat([own[:, None], others], axis=1), axis=1) - own
