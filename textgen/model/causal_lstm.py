"""The network of one direction: the token after every position, and states to continue from."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from textgen.model.language_model import LanguageModel
from textgen.model.lstm import LSTM


@keras.saving.register_keras_serializable("textgen")
class CausalLSTM(LanguageModel):
    """LSTM layers that read forwards; a target at every position.

    The same `call` serves whole windows, rows that continue from the batch before, and single tokens [B, 1]. States
    are h and c of each layer, [B, units] each, in the order of the layers.
    """

    def add_layers(self, width: int, policy: keras.DTypePolicy) -> int:
        """See LanguageModel."""
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

    def encode(
        self, x: tf.Tensor, mask: tf.Tensor, states: Sequence[tf.Tensor] | None, training: bool | None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """See LanguageModel; returns a vector per position, [B, T, width]."""
        before = self.initial_states(tf.shape(x)[0]) if states is None else list(states)
        after: list[tf.Tensor] = []
        for lstm, dropout in zip(self.lstms, self.dropouts, strict=True):
            x, *last = lstm(x, mask=mask, initial_state=before[len(after) :][:2], training=training)
            after += last
            x = dropout(x, training=training)
        return x, after

    @property
    def state_widths(self) -> list[int]:
        """See LanguageModel: h and c of each layer."""
        return [units for units in self.config.widths for _ in "hc"]
