"""Whether every LSTM of a network runs in cuDNN where there is a GPU, and which batches it takes.

The rules are those of Keras's TensorFlow backend, keras/src/backend/tensorflow/rnn.py: `cudnn_ok` and
`_assert_valid_mask`. In eager mode Keras falls back silently where one is broken; inside a graph a wrong mask ends
the step.
"""

import keras
import numpy as np

from textgen.config import PAD
from textgen.model.language_model import LanguageModel

_PRECISIONS = ("float16", "bfloat16", "float32", "float64")
"""Those that TensorFlow registers its CudnnRNNV3 kernel for."""


def obstacles(model: LanguageModel) -> list[str]:
    """Returns why LSTM layers of a network would not run in cuDNN; empty where all do."""
    return [f"{lstm.name}: {why}" for lstm in model.lstms for why in _obstacles(lstm)]


def faults(x: np.ndarray) -> list[str]:
    """What a batch of windows, int [B, W], has that cuDNN does not take; empty where it takes it."""
    kept = x != PAD
    found = []
    if not kept.any(axis=1).all():
        found.append(f"row {int(np.argmin(kept.any(axis=1)))} is wholly padding; each must have a token")
    if (kept[:, 1:] & ~kept[:, :-1]).any():
        row = int(np.argmax((kept[:, 1:] & ~kept[:, :-1]).any(axis=1)))
        found.append(f"row {row} has padding before a token; rows must be padded on the right")
    return found


def _obstacles(lstm: keras.layers.LSTM) -> list[str]:
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
