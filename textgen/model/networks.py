"""The table of networks.

On a GPU every LSTM runs in cuDNN: tanh and sigmoid, no recurrent dropout, and a mask that is padded on the right with
no fully masked row, since X is never empty.
"""

from collections.abc import Mapping

from textgen.config import ModelConfig
from textgen.model.bilstm import BiLSTM
from textgen.model.causal_lstm import CausalLSTM
from textgen.model.language_model import LanguageModel

NETWORKS: Mapping[str, type[LanguageModel]] = {"bilstm": BiLSTM, "lstm": CausalLSTM}
"""By the name in `ModelConfig.network`."""


def build(config: ModelConfig, *, vocabulary_size: int, window: int, precision: str = "float32") -> LanguageModel:
    """Returns the network that a config names, with initial weights; see `LanguageModel`."""
    return NETWORKS[config.network](config, vocabulary_size=vocabulary_size, window=window, precision=precision)
