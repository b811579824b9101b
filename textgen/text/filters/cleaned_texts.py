"""The input of a filter."""

from typing import NamedTuple

import tensorflow as tf


class CleanedTexts(NamedTuple):
    """A batch of B documents, or of parts of long ones.

    Attributes:
        cleaned: string[B], their cleaned texts.
        characters: int32[B], how many code points they have.
        lengths: int64[B], how many tokens they have.
    """

    cleaned: tf.Tensor
    characters: tf.Tensor
    lengths: tf.Tensor
