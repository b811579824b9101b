"""The table of networks.

On a GPU every LSTM runs in cuDNN: activations are tanh and sigmoid, recurrent dropout is 0, and masks are padded on
the right. No row is fully masked, since no window is empty.
"""

from collections.abc import Mapping

from textgen.config import ModelConfig
from textgen.model.bilstm import BiLSTM
from textgen.model.causal_lstm import CausalLSTM
from textgen.model.language_model import LanguageModel

NETWORKS: Mapping[str, type[LanguageModel]] = {"bilstm": BiLSTM, "lstm": CausalLSTM}
"""Network classes by their names in `ModelConfig.network`."""


def build(config: ModelConfig, *, vocabulary_size: int, window: int, precision: str = "float32") -> LanguageModel:
    """Returns the network of the given settings with initial weights.

    Args:
        config: settings of the network.
        vocabulary_size: V, number of ids.
        window: W, number of tokens of context.
        precision: precision of activations, `float32` or `bfloat16`; weights and logits are float32.
    """
    return NETWORKS[config.network](config, vocabulary_size=vocabulary_size, window=window, precision=precision)
