"""Texts while a graph writes them, and what it returns of them."""

from typing import NamedTuple

import tensorflow as tf

from textgen.generation.contexts import DecodingState
from textgen.generation.penalties import TokensSoFar
from textgen.generation.stops import LastTokens

RUNNING, LENGTH, STOP, END = range(4)
"""Why a text ended: not yet; at its maximum length; before a stop string; at the end of the document, which is also
where no token is allowed."""

REASONS = ("", "length", "stop", "end")


class TextState(NamedTuple):
    """Texts while they are written; every tensor has one row per text.

    Attributes:
        context: what the network has read.
        tokens: tokens so far, for penalties.
        last: the end of each text, for stop strings.
        lengths: int32 [B], number of new tokens.
        reasons: int32 [B], RUNNING, or why the text ended.
        cuts: int32 [B], number of bytes that a stop string takes from the end of the text.
    """

    context: DecodingState
    tokens: TokensSoFar
    last: LastTokens
    lengths: tf.Tensor
    reasons: tf.Tensor
    cuts: tf.Tensor


class Written(NamedTuple):
    """New tokens of texts, with the most likely tokens at the position of each.

    Attributes:
        ids: int32 [B, N]; PAD after the end of a text, and for [EOS].
        log_probabilities: float32 [B, N], of each token by the network itself, before all controls; 0 after the end.
        top_ids: int32 [B, N, A], the A tokens that are most likely by it, the most likely first.
        top_log_probabilities: float32 [B, N, A].
    """

    ids: tf.Tensor
    log_probabilities: tf.Tensor
    top_ids: tf.Tensor
    top_log_probabilities: tf.Tensor


class Generated(NamedTuple):
    """Texts with their tokens.

    Attributes:
        texts: string [B], the continuations, without their prompts; of bytes, they may be invalid UTF-8.
        lengths: int32 [B], number of new tokens; those of a stop string are among them.
        reasons: int32 [B], LENGTH, STOP or END.
        written: the tokens.
    """

    texts: tf.Tensor
    lengths: tf.Tensor
    reasons: tf.Tensor
    written: Written


class Resumed(NamedTuple):
    """Prompts that were read.

    Attributes:
        state: the state before the first new token.
        texts: string [B], the prompts, and the texts of the ids after them.
        tokens: int32 [B], number of their ids without [BOS].
    """

    state: TextState
    texts: tf.Tensor
    tokens: tf.Tensor
