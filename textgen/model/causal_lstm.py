"""The causal network: predicts the token after every position, and returns states to continue from."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from textgen.config import ModelConfig
from textgen.model.language_model import LanguageModel
from textgen.model.lstm import LSTM, count_products


@keras.saving.register_keras_serializable("textgen")
class CausalLSTM(LanguageModel):
    """Forward LSTM layers; one target per position.

    The same `call` accepts whole windows [B, W], stateful rows [B, W] and single tokens [B, 1]. States are h and c of
    each layer, each [B, units], in the order of the layers.
    """

    def add_layers(self, width: int, policy: keras.DTypePolicy) -> int:
        """Adds the LSTM and dropout layers; see `LanguageModel.add_layers`."""
        self.dropouts: list[keras.layers.Dropout] = []
        for number, units in enumerate(self.config.widths):
            lstm = LSTM(units, return_sequences=True, return_state=True, dtype=policy, name=f"lstm_{number}")
            lstm.build((None, self.window, width))
            dropout = keras.layers.Dropout(self.config.dropout, dtype=policy, name=f"dropout_{number}")
            self.keep(lstm, dropout)
            self.lstms.append(lstm)
            self.dropouts.append(dropout)
            width = units
        return width

    @classmethod
    def count_products(cls, config: ModelConfig, *, window: int) -> tuple[int, int]:
        """Counts the products of one token, since each has a target; see `LanguageModel.count_products`."""
        products, width = 0, config.embedding
        for units in config.widths:
            products += count_products(width, units)
            width = units
        return products, width

    def encode(
        self, x: tf.Tensor, mask: tf.Tensor, states: Sequence[tf.Tensor] | None, training: bool | None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Encodes each position as one vector; see `LanguageModel.encode`.

        Args:
            x: float [B, T, E], token vectors.
            mask: bool [B, T], False at padding.
            states: h and c of each layer to continue from, each [B, units]; None for zeros.
            training: whether dropout is active.

        Returns:
            Vectors [B, T, width], and the states after the last token of each row.
        """
        before = self.initial_states(tf.shape(x)[0]) if states is None else list(states)
        after: list[tf.Tensor] = []
        for lstm, dropout in zip(self.lstms, self.dropouts, strict=True):
            x, *last = lstm(x, mask=mask, initial_state=before[len(after) :][:2], training=training)
            after += last
            x = dropout(x, training=training)
        return x, after

    @property
    def state_widths(self) -> list[int]:
        """Number of units of each state: h and c of each layer."""
        return [units for units in self.config.widths for _ in "hc"]
