"""The weights of a network as arrays, for programs that compute it by themselves."""

from typing import NamedTuple

import numpy as np

from textgen.model.bilstm import BiLSTM
from textgen.model.language_model import LanguageModel
from textgen.model.lstm import LSTM


class LstmWeights(NamedTuple):
    """Weights of one direction of an LSTM layer; the gates stand in Keras's order: input, forget, cell, output.

    Attributes:
        kernel: float32 [I, 4U].
        recurrent: float32 [U, 4U].
        bias: float32 [4U].
    """

    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray

    @property
    def units(self) -> int:
        """U, the number of units."""
        return len(self.recurrent)


class PoolingWeights(NamedTuple):
    """Weights of `AttentionPooling`: float32 [D, D], [D] and [D, 1]."""

    kernel: np.ndarray
    bias: np.ndarray
    score: np.ndarray


class NetworkWeights(NamedTuple):
    """Weights of a whole network.

    Attributes:
        embedding: float32 [V, E].
        layers: directions of each LSTM layer: the forward one, and the backward one if there is one.
        merge: how two directions are merged: "concat", "sum", "mul" or "ave".
        pooling: weights of attention pooling, None without it.
        projection: kernel [D, E] and bias [E] before a tied head, None without it.
        table: float32 [V, D], of the head.
        bias: float32 [V], of the head.
    """

    embedding: np.ndarray
    layers: tuple[tuple[LstmWeights, ...], ...]
    merge: str
    pooling: PoolingWeights | None
    projection: tuple[np.ndarray, np.ndarray] | None
    table: np.ndarray
    bias: np.ndarray


def weights_of(model: LanguageModel) -> NetworkWeights:
    """Returns the weights of a network."""
    directions = [_lstm(layer) for layer in model.lstms]
    each = 1 if model.config.causal else 2
    pooling, projection = None, model.projection
    if isinstance(model, BiLSTM) and model.pooling is not None:
        pooling = PoolingWeights(*(weight.numpy() for weight in model.pooling.weights))
    return NetworkWeights(
        embedding=model.embedding.embeddings.numpy(),
        layers=tuple(tuple(directions[i : i + each]) for i in range(0, len(directions), each)),
        merge=model.config.merge,
        pooling=pooling,
        projection=None if projection is None else (projection.kernel.numpy(), projection.bias.numpy()),
        table=model.head.table.numpy(),
        bias=model.head.bias.numpy(),
    )


def _lstm(layer: LSTM) -> LstmWeights:
    cell = layer.cell
    return LstmWeights(cell.kernel.numpy(), cell.recurrent_kernel.numpy(), cell.bias.numpy())
