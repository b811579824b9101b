"""What a network has read when it is to write the next token: a window of ids, or the states that they left."""

from typing import Protocol, TypeAlias

import tensorflow as tf

from textgen.config import PAD
from textgen.model.language_model import LanguageModel

Read: TypeAlias = tuple[tf.Tensor, ...]
"""What is kept from token to token."""


class Context(Protocol):
    """How a kind of network goes on from ids."""

    def begin(self, ids: tf.RaggedTensor) -> Read:
        """What is kept after ids int32 [B, (T)], where no T is 0."""
        ...

    def predict(self, read: Read) -> tuple[tf.Tensor, Read]:
        """Scores float32 [B, V] of the next token."""
        ...

    def append(self, read: Read, ids: tf.Tensor) -> Read:
        """After these ids too, int32 [B]."""
        ...


def context_of(model: LanguageModel) -> Context:
    """That of a network."""
    return States(model) if model.config.causal else Windows(model)


class Windows:
    """Of a network that reads a closed window: int32 x [B, W], padded on the right, and widths [B]."""

    def __init__(self, model: LanguageModel):
        self._model, self._window = model, model.window

    def begin(self, ids: tf.RaggedTensor) -> Read:
        """See Context."""
        last = ids[:, -self._window :]
        return last.to_tensor(PAD, shape=[None, self._window]), tf.cast(last.row_lengths(), tf.int32)

    def predict(self, read: Read) -> tuple[tf.Tensor, Read]:
        """See Context."""
        return self._model(read[0], training=False), read

    def append(self, read: Read, ids: tf.Tensor) -> Read:
        """Puts an id at the end of each window, whose first id goes where it is full."""
        x, widths = read
        full = tf.equal(widths, self._window)
        x = tf.where(full[:, None], tf.roll(x, -1, axis=1), x)
        places = tf.where(full, self._window - 1, widths)
        rows = tf.range(tf.shape(x)[0])
        x = tf.tensor_scatter_nd_update(x, tf.stack([rows, places], axis=1), ids)
        return x, tf.minimum(widths + 1, self._window)


class States:
    """Of an `lstm`, which reads a token once: the last id int32 [B], not yet read, and the states before it."""

    def __init__(self, model: LanguageModel):
        self._model = model

    def begin(self, ids: tf.RaggedTensor) -> Read:
        """See Context."""
        rows, unread = ids.nrows(), tf.cast(ids.row_lengths(), tf.int32) - 1
        padded = ids.to_tensor(PAD)
        states = tuple(self._model.initial_states(rows))
        for position in tf.range(tf.reduce_max(unread)):
            _, after = self._model(padded[:, position, tf.newaxis], states, training=False)
            unfinished = (position < unread)[:, None]
            states = tuple(tf.where(unfinished, new, old) for new, old in zip(after, states))  # noqa: B905
        return tf.gather(padded, unread, batch_dims=1), *states

    def predict(self, read: Read) -> tuple[tf.Tensor, Read]:
        """See Context."""
        last, *states = read
        logits, after = self._model(last[:, tf.newaxis], states, training=False)
        return logits[:, 0], (last, *after)

    def append(self, read: Read, ids: tf.Tensor) -> Read:
        """See Context."""
        return ids, *read[1:]
