"""Output head: the logits of all tokens, and the loss of a sampled softmax."""

import math
from typing import Any

import keras
import tensorflow as tf

from textgen.model.masking import MASKED_LOGIT

_MANY_ROWS = 16
"""Number of rows from which on a product with the transposed table is faster."""

_LARGE_TABLE = 1 << 17
"""Number of weights from which on the difference can be measured."""


class Logits(keras.layers.Layer):
    """Computes logits: hidden [..., D] → float32 [..., V], hidden · tableᵀ + bias.

    The table [V, D] has one row per token, as an embedding has: it can be the embedding's own, and a sampled softmax
    gathers only the rows that it samples. Logits are float32 also under mixed precision, since a softmax over many
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
        """Makes the head; `tied_to` is the embedding whose table it shares, if any."""
        super().__init__(dtype=dtype, **settings)
        self.vocabulary_size, self._tied_to = vocabulary_size, tied_to
        self.supports_masking = True

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Creates the weights."""
        if self._tied_to is None:
            self._own_table = self.add_weight(
                shape=(self.vocabulary_size, shape[-1]), initializer="glorot_uniform", name="table"
            )
        self.bias = self.add_weight(shape=(self.vocabulary_size,), initializer="zeros", name="bias")

    @property
    def table(self) -> keras.Variable:
        """float32 [V, D]."""
        return self._own_table if self._tied_to is None else self._tied_to.embeddings

    def columns(self, rows: tf.Tensor) -> tf.Tensor | None:
        """Returns the table transposed, for a loop that calls the layer again and again.

        A product of 16 to 256 rows with the table as it stands takes up to three times as long.

        Args:
            rows: int32 [], number of vectors of each call.

        Returns:
            float32 [D, V]; [0, 0] if there are too few rows to gain by it, and None if the table is too small.
        """
        if math.prod(self.table.shape) < _LARGE_TABLE:
            return None
        table = tf.convert_to_tensor(self.table)
        return tf.cond(rows >= _MANY_ROWS, lambda: tf.transpose(table), lambda: tf.zeros([0, 0], table.dtype))

    def call(self, hidden: tf.Tensor, columns: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the logits, float32 [..., V], of hidden [..., D].

        Args:
            hidden: the vectors.
            columns: what `columns` returned; None to use the table.
        """
        rows = tf.reshape(hidden, [-1, hidden.shape[-1]])

        def from_table() -> tf.Tensor:
            return tf.matmul(rows, tf.convert_to_tensor(self.table), transpose_b=True) + self.bias

        if columns is None:
            logits = from_table()
        else:
            logits = tf.cond(tf.size(columns) > 0, lambda: tf.matmul(rows, columns) + self.bias, from_table)
        return tf.reshape(logits, tf.concat([tf.shape(hidden)[:-1], [self.vocabulary_size]], axis=0))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """[..., V]."""
        return (*shape[:-1], self.vocabulary_size)


def sampled_losses(
    logits: Logits, hidden: tf.Tensor, targets: tf.Tensor, *, samples: int, seed: tf.Tensor
) -> tf.Tensor:
    """Returns the cross-entropy, float32 [N], with the sum over all tokens estimated from sampled ones.

    Importance sampling as in Jean et al. 2015, https://arxiv.org/abs/1412.2007. Tokens are sampled with replacement
    from the log-uniform distribution P(i) = ln((i + 2) / (i + 1)) / ln(V + 1), which approximates that of ids
    in order of falling frequency (Zipf). The samples depend on the seed alone: all replicas take the same, and a
    resumed run continues them.

    Args:
        logits: the head, which has the table.
        hidden: float [N, D].
        targets: int32 [N].
        samples: number of sampled tokens.
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
    # The target is included already. TensorFlow's own sampled softmax removes it once, however often it is sampled.
    others = tf.where(tf.equal(drawn, targets[:, None]), MASKED_LOGIT, others)
    return tf.reduce_logsumexp(tf.concat([own[:, None], others], axis=1), axis=1) - own
