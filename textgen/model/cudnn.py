"""Checks that the LSTM layers of a network and its batches meet the requirements of cuDNN on a GPU.

The rules are those of Keras's TensorFlow backend, keras/src/backend/tensorflow/rnn.py: `cudnn_ok` and
`_assert_valid_mask`. If a rule is broken, Keras silently falls back to its own loop in eager mode; inside a graph an
invalid mask makes the step fail.
"""

import keras
import numpy as np

from textgen.config import PAD
from textgen.model.language_model import LanguageModel

_PRECISIONS = ("float16", "bfloat16", "float32", "float64")
"""Dtypes for which TensorFlow registers its CudnnRNNV3 kernel."""


def obstacles(model: LanguageModel) -> list[str]:
    """Returns the reasons why LSTM layers of a network can't run in cuDNN; empty if all can."""
    if not model.lstms:
        return [f"{model.name}: it has no LSTM layers, and only LSTM layers can be checked"]
    return [f"{lstm.name}: {why}" for lstm in model.lstms for why in _obstacles(lstm)]


def faults(x: np.ndarray) -> list[str]:
    """Returns the reasons why cuDNN rejects a batch of windows.

    Args:
        x: int [B, W], ids padded with PAD.

    Returns:
        One message per broken rule; empty if cuDNN accepts the batch.
    """
    kept = x != PAD
    found = []
    if not kept.any(axis=1).all():
        found.append(f"row {int(np.argmin(kept.any(axis=1)))} is wholly padding; each must have a token")
    if (kept[:, 1:] & ~kept[:, :-1]).any():
        row = int(np.argmax((kept[:, 1:] & ~kept[:, :-1]).any(axis=1)))
        found.append(f"row {row} has padding before a token; rows must be padded on the right")
    return found


def _obstacles(lstm: keras.layers.LSTM) -> list[str]:
    """Returns the reasons why a layer can't run in cuDNN."""
    rules = {
        f"its activation is {lstm.activation.__name__}, not tanh": lstm.activation is keras.activations.tanh,
        f"its recurrent activation is {lstm.recurrent_activation.__name__}, not sigmoid": (
            lstm.recurrent_activation is keras.activations.sigmoid
        ),
        f"its recurrent dropout is {lstm.recurrent_dropout}, not 0": lstm.recurrent_dropout == 0,
        "it is unrolled": not lstm.unroll,
        "it has no bias": lstm.use_bias,
        f"its precision is {lstm.compute_dtype}": lstm.compute_dtype in _PRECISIONS,
        "use_cudnn is off": lstm.use_cudnn in (True, "auto"),
    }
    return [why for why, holds in rules.items() if not holds]
