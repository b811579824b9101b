"""The input of a filter."""

from typing import NamedTuple

import tensorflow as tf


class CleanedTexts(NamedTuple):
    """A batch of B documents, or chunks of long documents.

    Attributes:
        cleaned: string [B], the cleaned texts.
        characters: int32 [B], number of code points per text.
        lengths: int64 [B], number of tokens per text.
    """

    cleaned: tf.Tensor
    characters: tf.Tensor
    lengths: tf.Tensor
