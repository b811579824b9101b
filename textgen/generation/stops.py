"""Finds stop strings at the end of texts, also where they cross the borders of tokens."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from textgen.config import PAD

_MORE_TOKENS = 8
"""Number of tokens that are decoded before those that a stop string can span, since some tokens have no text, and the
first of a text may be decoded differently."""

Decode = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Returns the text that ids add to prompts, string [B]; see `Generator.continue_text`."""


class LastTokens(NamedTuple):
    """The end of each text, for the search of stop strings.

    Attributes:
        prompts: string [B], the last character of each prompt, on which the text of the next tokens depends.
        ids: int32 [B, K], the last K ids of the new text, filled up on the left with PAD; K is 0 where no text of the
            batch has a stop string.
    """

    prompts: tf.Tensor
    ids: tf.Tensor


def last_tokens_specs() -> LastTokens:
    """Returns the `tf.TensorSpec` of each tensor."""
    return LastTokens(tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.int32))


def begin(prompts: tf.Tensor, stops: tf.Tensor) -> LastTokens:
    """Returns the state before the first new token.

    Args:
        prompts: string [B].
        stops: string [B, Z], filled up with "".
    """
    is_used = stops != ""
    longest = tf.reduce_max(tf.concat([[0], tf.reshape(tf.strings.length(stops), [-1])], axis=0))
    width = tf.where(tf.reduce_any(is_used), longest + _MORE_TOKENS, 0)
    return LastTokens(last_characters(prompts), tf.fill([tf.shape(prompts)[0], width], PAD))


def last_characters(texts: tf.Tensor) -> tf.Tensor:
    """Returns the last character of each text, string [B] → string [B]; empty for an empty text."""
    return tf.strings.regex_replace(texts, r"(?s)^.*(.)$", r"\1")


def find_stops(last: LastTokens, ids: tf.Tensor, stops: tf.Tensor, decode: Decode) -> tuple[LastTokens, tf.Tensor]:
    """Appends an id to each text, and finds the stop strings that end inside its text.

    Args:
        last: the ends of the texts before.
        ids: int32 [B].
        stops: string [B, Z], filled up with "".
        decode: decodes ids.

    Returns:
        The state with the ids, and the number of bytes from the beginning of the longest stop string to the end of
        each text, int32 [B]; 0 where there is none.
    """
    with_new = tf.concat([last.ids, ids[:, tf.newaxis]], axis=1)
    text = decode(last.prompts, with_new)
    size, size_before = tf.strings.length(text), tf.strings.length(decode(last.prompts, with_new[:, :-1]))
    grown = tf.maximum(size - size_before, 0)
    lengths = tf.strings.length(stops)
    # [B, Z, N]: a stop string ends 0, 1 … bytes before the end of the text.
    back = tf.range(tf.maximum(tf.reduce_max(grown), 1))
    starts = size[:, tf.newaxis, tf.newaxis] - back - lengths[:, :, tf.newaxis]
    is_possible = (starts >= 0) & (lengths > 0)[:, :, tf.newaxis] & (back < grown[:, tf.newaxis])[:, tf.newaxis]
    shape = tf.shape(starts)
    parts = tf.strings.substr(
        tf.broadcast_to(text[:, tf.newaxis, tf.newaxis], shape),
        tf.where(is_possible, starts, 0),
        tf.broadcast_to(lengths[:, :, tf.newaxis], shape),
    )
    is_found = is_possible & (parts == stops[:, :, tf.newaxis])
    cut = tf.reduce_max(tf.where(is_found, back + lengths[:, :, tf.newaxis], 0), axis=[1, 2])
    return LastTokens(last.prompts, with_new[:, 1:]), cut
