"""Decoding contexts: the window of ids, or the LSTM states, from which the next token is predicted."""

from typing import Protocol, TypeAlias

import tensorflow as tf

from textgen.config import PAD
from textgen.model.language_model import LanguageModel

DecodingState: TypeAlias = tuple[tf.Tensor, ...]
"""Tensors that a generation loop keeps between tokens."""


class DecodingContext(Protocol):
    """Predicts token after token with one kind of network."""

    def begin(self, ids: tf.RaggedTensor) -> DecodingState:
        """Returns the state after ids: ragged int32 [B, (T)], every T at least 1."""
        ...

    def predict(self, read: DecodingState) -> tuple[tf.Tensor, DecodingState]:
        """Returns the logits of the next token, float32 [B, V], and the state."""
        ...

    def append(self, read: DecodingState, ids: tf.Tensor) -> DecodingState:
        """Returns the state after one more id per row, int32 [B]."""
        ...


def decoding_context(model: LanguageModel) -> DecodingContext:
    """Returns the decoding context of a network."""
    return StateContext(model) if model.config.causal else WindowContext(model)


class WindowContext:
    """Context of a network that reads whole windows: ids int32 [B, W], padded on the right, and their lengths [B]."""

    def __init__(self, model: LanguageModel):
        self._model, self._window = model, model.window

    def begin(self, ids: tf.RaggedTensor) -> DecodingState:
        """Returns the last W ids of each row of ragged int32 [B, (T)], and their number; see `DecodingContext`."""
        last = ids[:, -self._window :]
        return last.to_tensor(PAD, shape=[None, self._window]), tf.cast(last.row_lengths(), tf.int32)

    def predict(self, read: DecodingState) -> tuple[tf.Tensor, DecodingState]:
        """Returns the logits after each window, float32 [B, V], and the same state; see `DecodingContext`."""
        return self._model(read[0], training=False), read

    def append(self, read: DecodingState, ids: tf.Tensor) -> DecodingState:
        """Appends the ids, int32 [B], one to each window; a full window loses its first id."""
        x, lengths = read
        full = tf.equal(lengths, self._window)
        x = tf.where(full[:, None], tf.roll(x, -1, axis=1), x)
        positions = tf.where(full, self._window - 1, lengths)
        rows = tf.range(tf.shape(x)[0])
        x = tf.tensor_scatter_nd_update(x, tf.stack([rows, positions], axis=1), ids)
        return x, tf.minimum(lengths + 1, self._window)


class StateContext:
    """Context of a causal network, which reads a token once: the last id, int32 [B], and the states before it."""

    def __init__(self, model: LanguageModel):
        self._model = model

    def begin(self, ids: tf.RaggedTensor) -> DecodingState:
        """Reads all ids but the last of each row of ragged int32 [B, (T)]; see `DecodingContext`."""
        rows, unread = ids.nrows(), tf.cast(ids.row_lengths(), tf.int32) - 1
        padded = ids.to_tensor(PAD)

        def read(position: tf.Tensor, states: DecodingState) -> tuple[tf.Tensor, DecodingState]:
            _, after = self._model(padded[:, position, tf.newaxis], states, training=False)
            unfinished = (position < unread)[:, None]
            return position + 1, tuple(tf.where(unfinished, new, old) for new, old in zip(after, states, strict=True))

        longest = tf.reduce_max(unread)
        initial = (tf.constant(0), tuple(self._model.initial_states(rows)))
        _, states = tf.while_loop(lambda position, _: position < longest, read, initial)
        return tf.gather(padded, unread, batch_dims=1), *states

    def predict(self, read: DecodingState) -> tuple[tf.Tensor, DecodingState]:
        """Reads the last id of each row, and returns the logits, float32 [B, V]; see `DecodingContext`."""
        last, *states = read
        logits, after = self._model(last[:, tf.newaxis], states, training=False)
        return logits[:, 0], (last, *after)

    def append(self, read: DecodingState, ids: tf.Tensor) -> DecodingState:
        """Keeps the ids, int32 [B], to be read by `predict`; see `DecodingContext`."""
        return ids, *read[1:]
