"""The input of a filter."""

from __future__ import annotations

from typing import NamedTuple

from textgen.lazy_tensorflow import tf


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
