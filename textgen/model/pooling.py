"""Pools the vectors of a window into one."""

from typing import Any

import keras
import tensorflow as tf

from textgen.model.masking import MASKED_LOGIT


class AttentionPooling(keras.layers.Layer):
    """Mean over the positions of a window, weighted by attention: hidden [B, W, D] → [B, D].

    weights = softmax(tanh(hidden · A + a) · v), as in Yang et al. 2016, https://aclanthology.org/N16-1174. A masked
    position has weight 0.
    """

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self.supports_masking = True

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Creates the weights."""
        self._project = keras.layers.Dense(shape[-1], activation="tanh", dtype=self.dtype_policy, name="project")
        # Float32 also under mixed precision, as for all softmaxes.
        self._score = keras.layers.Dense(1, use_bias=False, dtype="float32", name="score")
        self._project.build(shape)
        self._score.build(shape)

    def call(self, hidden: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the weighted mean [B, D] of hidden [B, W, D]; `mask`, bool [B, W], is False at padding."""
        scores = self._score(self._project(hidden))[..., 0]
        if mask is not None:
            scores = tf.where(mask, scores, MASKED_LOGIT)
        weights = tf.cast(tf.nn.softmax(scores, axis=-1), hidden.dtype)
        return tf.einsum("bw,bwd->bd", weights, hidden)

    def compute_mask(self, hidden: tf.Tensor, mask: tf.Tensor | None = None) -> None:
        """Returns None: the output, [B, D], has no positions to mask."""
        return

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """[B, D]."""
        return shape[0], shape[2]
