"""Adaptation of a trained causal network to the text that it reads.

It is the dynamic evaluation of Krause, Kahembwe, Murray & Renals 2018, https://arxiv.org/abs/1709.07432, by plain
gradient descent: after each stretch of text was predicted, the weights θ take one step along the gradient of its mean
cross-entropy L, and decay towards the trained weights θ₀:

    θ ← θ - η ∇L(θ) + λ (θ₀ - θ)

A token is predicted before its gradient is taken, so that nothing of the future is used.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from textgen.config import PAD
from textgen.model.language_model import LanguageModel
from textgen.model.neural_cache import NeuralCache, spec_of_any_size


class Read(NamedTuple):
    """Predictions of a stretch of text, made before the weights followed it.

    Attributes:
        sums: float32 [3], the cross-entropy in nats, the number of correct predictions, and the number of targets.
        states: the states after the stretch.
    """

    sums: tf.Tensor
    states: Sequence[tf.Tensor]


class Adaptation:
    """Reads text with a network whose weights follow it; `reset` gives the trained weights back.

    Attributes:
        rate: η.
        decay: λ.
    """

    def __init__(self, model: LanguageModel, *, rate: float, decay: float, cache: NeuralCache | None = None):
        """Keeps a copy of the weights.

        Args:
            model: the network.
            rate: η.
            decay: λ.
            cache: neural cache whose mixture is scored; the weights follow the network's own predictions. None for
                none.
        """
        self._model, self._cache = model, cache
        self._variables = [variable.value for variable in model.trainable_variables]
        self._trained = [tf.identity(variable) for variable in self._variables]
        self.rate, self.decay = rate, decay
        ids = tf.TensorSpec([None, None], tf.int32)
        states = [spec_of_any_size(state) for state in self.initial_states(1)]
        size = tf.TensorSpec([], tf.float32)
        self._step = tf.function(self._read, input_signature=[ids, ids, states, size, size], autograph=False)

    def initial_states(self, rows: int) -> list[tf.Tensor]:
        """Returns the states before the first token of `rows` texts, with those of the cache last."""
        of_model = list(self._model.initial_states(rows))
        return (
            of_model if self._cache is None else of_model + self._cache.initial_states(rows, self._model.hidden_size)
        )

    def read(self, x: tf.Tensor, y: tf.Tensor, states: Sequence[tf.Tensor]) -> Read:
        """Predicts the tokens after each token, and lets the weights follow them.

        Args:
            x: int32 [B, T], ids, padded on the right with PAD.
            y: int32 [B, T], the id after each; PAD is no target.
            states: the states before.
        """
        found: Read = self._step(x, y, list(states), self.rate, self.decay)
        return found

    def read_all(self, ids: tf.Tensor, *, tokens: int) -> None:
        """Lets the weights follow a text, int32 [1, T], with a step after every `tokens` tokens."""
        states: Sequence[tf.Tensor] = self.initial_states(1)
        for start in range(0, int(ids.shape[1]) - 1, tokens):
            x, y = ids[:, :-1][:, start : start + tokens], ids[:, 1:][:, start : start + tokens]
            states = self.read(x, y, states).states

    def reset(self) -> None:
        """Gives the network its trained weights back."""
        for variable, trained in zip(self._variables, self._trained, strict=True):
            variable.assign(trained)

    def _read(self, x: tf.Tensor, y: tf.Tensor, states: list[tf.Tensor], rate: tf.Tensor, decay: tf.Tensor) -> Read:
        count = len(self._model.state_widths)
        with tf.GradientTape() as tape:
            hidden, after = self._model.hidden(x, states[:count], training=False)
            logits = self._model.head(hidden)
            loss = _sums(logits, y)
            mean = tf.math.divide_no_nan(loss[0], loss[2])
        cached: list[tf.Tensor] = []
        if self._cache is not None:
            fresh = tf.zeros([tf.shape(x)[0]], tf.bool)
            mixed, cached = self._cache.mix(logits, hidden, y, fresh, states[count:])
            loss = _sums(mixed, y)
        gradients = tape.gradient(mean, self._variables)
        with tf.control_dependencies([loss, *after, *cached]):
            for variable, trained, gradient in zip(self._variables, self._trained, gradients, strict=True):
                step = tf.zeros_like(trained) if gradient is None else tf.convert_to_tensor(gradient)
                moved = variable - rate * step + decay * (trained - variable)
                # A step so long that numbers overflow begins again from the trained weights.
                variable.assign(tf.where(tf.math.is_finite(moved), moved, trained))
        return Read(loss, [*after, *cached])


def _sums(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Returns the cross-entropy, the number of correct predictions, and the number of targets, float32 [3]."""
    is_target = tf.cast(y != PAD, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    is_correct = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == y, tf.float32)
    return tf.stack([tf.reduce_sum(is_target * values) for values in (losses, is_correct, tf.ones_like(losses))])
