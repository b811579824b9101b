"""Decoding contexts: the window of ids, or the LSTM states, from which the next token is predicted."""

from typing import Protocol, TypeAlias

import tensorflow as tf

from textgen.config import NO_NEURAL_CACHE, PAD, UNK, NeuralCacheConfig
from textgen.errors import require
from textgen.model.language_model import LanguageModel
from textgen.model.neural_cache import NeuralCache

DecodingState: TypeAlias = tuple[tf.Tensor, ...]
"""Tensors that a generation loop keeps between tokens."""


_CHUNKS = (256, 64, 16, 4, 1)
"""Numbers of tokens of a prompt that are read at once: each row is read by as many of the larger ones as fit into it,
and then by smaller ones. None is padded, since cuDNN reads no row of padding alone."""


class DecodingContext(Protocol):
    """Predicts token after token with one kind of network."""

    def specs(self) -> tuple[tf.TensorSpec, ...]:
        """Returns the spec of each tensor of the state; the first dimension is the row."""
        ...

    def begin(self, ids: tf.RaggedTensor) -> DecodingState:
        """Returns the state after ids: ragged int32 [B, (T)], every T at least 1."""
        ...

    def predict(self, read: DecodingState, columns: tf.Tensor | None = None) -> tuple[tf.Tensor, DecodingState]:
        """Returns the logits of the next token, float32 [B, V], and the state; `columns` are those of `Logits`."""
        ...

    def append(self, read: DecodingState, ids: tf.Tensor) -> DecodingState:
        """Returns the state after one more id per row, int32 [B]."""
        ...


def decoding_context(model: LanguageModel, neural_cache: NeuralCacheConfig = NO_NEURAL_CACHE) -> DecodingContext:
    """Returns the decoding context of a network, with a neural cache if one is set.

    Raises:
        UserError: a neural cache is set and the network is not causal.
    """
    if not model.config.causal:
        require(
            not neural_cache.tokens,
            f"the network {model.config.network} reads each window by itself and has no neural cache. "
            "Leave --neural-cache out, or train --network lstm.",
        )
        return WindowContext(model)
    return CacheContext(model, neural_cache) if neural_cache.tokens else StateContext(model)


class WindowContext:
    """Context of a network that reads whole windows: ids int32 [B, W], padded on the right, and their lengths [B]."""

    def __init__(self, model: LanguageModel):
        self._model, self._window = model, model.window

    def specs(self) -> tuple[tf.TensorSpec, ...]:
        """Returns the specs of the windows and of their lengths; see `DecodingContext`."""
        return tf.TensorSpec([None, self._window], tf.int32), tf.TensorSpec([None], tf.int32)

    def begin(self, ids: tf.RaggedTensor) -> DecodingState:
        """Returns the last W ids of each row of ragged int32 [B, (T)], and their number; see `DecodingContext`."""
        last = ids[:, -self._window :]
        return last.to_tensor(PAD, shape=[None, self._window]), tf.cast(last.row_lengths(), tf.int32)

    def predict(self, read: DecodingState, columns: tf.Tensor | None = None) -> tuple[tf.Tensor, DecodingState]:
        """Returns the logits after each window, float32 [B, V], and the same state; see `DecodingContext`."""
        hidden, _ = self._model.hidden(read[0], training=False)
        return self._model.head(hidden, columns), read

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

    def specs(self) -> tuple[tf.TensorSpec, ...]:
        """Returns the specs of the last ids and of the states; see `DecodingContext`."""
        dtype = self._model.compute_dtype
        states = [tf.TensorSpec([None, width], dtype) for width in self._model.state_widths]
        return tf.TensorSpec([None], tf.int32), *states

    def begin(self, ids: tf.RaggedTensor) -> DecodingState:
        """Reads all ids but the last of each row of ragged int32 [B, (T)]; see `DecodingContext`."""
        unread = tf.cast(ids.row_lengths(), tf.int32) - 1
        padded = ids.to_tensor(PAD)
        sizes = tf.constant(_CHUNKS)

        def read(
            level: tf.Tensor, done: tf.Tensor, states: DecodingState
        ) -> tuple[tf.Tensor, tf.Tensor, DecodingState]:
            # A row has a chunk of this size left, or waits for the next one.
            size = sizes[level]
            is_read = (unread - done >= size)[:, tf.newaxis]
            indices = tf.where(is_read, done[:, tf.newaxis] + tf.range(size), 0)
            # What the other rows read does not matter, but must not be padding.
            chunk = tf.where(is_read, tf.gather(padded, indices, batch_dims=1), UNK)
            targets = tf.gather(padded, tf.minimum(indices + 1, tf.shape(padded)[1] - 1), batch_dims=1)
            states = self._read(chunk, targets, is_read, states)
            done += size * tf.cast(is_read[:, 0], tf.int32)
            return next_level(level, done), done, states

        def next_level(level: tf.Tensor, done: tf.Tensor) -> tf.Tensor:
            fits = tf.reduce_max(unread - done) >= sizes
            first = tf.argmax(fits, output_type=tf.int32)
            return tf.where(tf.reduce_any(fits), tf.maximum(level, first), len(_CHUNKS))

        nothing = tf.zeros_like(unread)
        _, _, states = tf.while_loop(
            lambda level, *_: level < len(_CHUNKS),
            read,
            (next_level(tf.constant(0), nothing), nothing, self._initial_states(ids.nrows())),
            shape_invariants=(
                tf.TensorShape([]), tf.TensorShape([None]), tuple(spec.shape for spec in self.specs()[1:])
            ),
        )  # fmt: skip
        return tf.gather(padded, unread, batch_dims=1), *states

    def _initial_states(self, rows: tf.Tensor) -> DecodingState:
        return tuple(self._model.initial_states(rows))

    def _read(self, ids: tf.Tensor, targets: tf.Tensor, rows: tf.Tensor, states: DecodingState) -> DecodingState:
        """Returns the states with ids, int32 [B, N], read by some rows, bool [B, 1]; `targets` follow each id."""
        _, after = self._model(ids, states, training=False)
        return tuple(tf.where(rows, new, old) for new, old in zip(after, states, strict=True))

    def predict(self, read: DecodingState, columns: tf.Tensor | None = None) -> tuple[tf.Tensor, DecodingState]:
        """Reads the last id of each row, and returns the logits, float32 [B, V]; see `DecodingContext`."""
        last, *states = read
        hidden, after = self._model.hidden(last[:, tf.newaxis], states, training=False)
        return self._model.head(hidden[:, 0], columns), (last, *after)

    def append(self, read: DecodingState, ids: tf.Tensor) -> DecodingState:
        """Keeps the ids, int32 [B], to be read by `predict`; see `DecodingContext`."""
        return ids, *read[1:]


class CacheContext(StateContext):
    """Context of a causal network with a neural cache: after the states come the cached vectors and their tokens."""

    def __init__(self, model: LanguageModel, neural_cache: NeuralCacheConfig):
        super().__init__(model)
        self._cache = NeuralCache(neural_cache)
        self._count = len(model.state_widths)

    def specs(self) -> tuple[tf.TensorSpec, ...]:
        """Returns the specs of `StateContext`, of the cached vectors and of their tokens; see `DecodingContext`."""
        vectors = tf.TensorSpec([None, None, self._model.hidden_size], tf.float32)
        return *super().specs(), vectors, tf.TensorSpec([None, None], tf.int32)

    def predict(self, read: DecodingState, columns: tf.Tensor | None = None) -> tuple[tf.Tensor, DecodingState]:
        """Reads the last id of each row, and returns the mixture, float32 [B, V]; see `DecodingContext`."""
        last, *states = read
        hidden, after = self._model.hidden(last[:, tf.newaxis], states[: self._count], training=False)
        # What follows is not known yet, and is set by `append`.
        unknown, fresh = tf.fill(tf.shape(last[:, tf.newaxis]), PAD), tf.zeros_like(last, tf.bool)
        mixed, cached = self._cache.mix(
            self._model.head(hidden, columns), hidden, unknown, fresh, states[self._count :]
        )
        return mixed[:, 0], (last, *after, *cached)

    def append(self, read: DecodingState, ids: tf.Tensor) -> DecodingState:
        """Keeps the ids, int32 [B], to be read by `predict`, as what followed the last one; see `DecodingContext`."""
        _, *states, cached = read
        return ids, *states, tf.concat([cached[:, :-1], ids[:, tf.newaxis]], axis=1)

    def _initial_states(self, rows: tf.Tensor) -> DecodingState:
        cached = self._cache.initial_states(tf.cast(rows, tf.int32), self._model.hidden_size)
        return *super()._initial_states(rows), *cached

    def _read(self, ids: tf.Tensor, targets: tf.Tensor, rows: tf.Tensor, states: DecodingState) -> DecodingState:
        of_model, of_cache = states[: self._count], states[self._count :]
        hidden, after = self._model.hidden(ids, of_model, training=False)
        cached = self._cache.add(hidden, targets, rows[:, 0], of_cache)
        return *(tf.where(rows, new, old) for new, old in zip(after, of_model, strict=True)), *cached
