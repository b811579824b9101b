"""The input of a filter."""

from typing import NamedTuple

import tensorflow as tf


class CleanedTexts(NamedTuple):
    """A batch of B documents, or chunks of long documents.

    Attributes:
        cleaned: string[B], their cleaned texts.
        characters: int32 [B], numbers of code points.
        lengths: int64 [B], numbers of tokens.
    """

    cleaned: tf.Tensor
    characters: tf.Tensor
    lengths: tf.Tensor
