"""The bidirectional network: predicts the token after each window."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from textgen.config import ModelConfig
from textgen.model.language_model import LanguageModel
from textgen.model.lstm import LSTM, Bidirectional, count_products
from textgen.model.pooling import AttentionPooling


@keras.saving.register_keras_serializable("textgen")
class BiLSTM(LanguageModel):
    """Bidirectional LSTM layers over a whole window; one target per window, the token after it.

    With a target at every position, the backward direction would read the target before predicting it.
    """

    def add_layers(self, width: int, policy: keras.DTypePolicy) -> int:
        """Adds the LSTM and dropout layers, and attention pooling if it is set; see `LanguageModel.add_layers`."""
        config = self.config
        self.bidirectional: list[Bidirectional] = []
        self.dropouts: list[keras.layers.Dropout] = []
        pooled = config.pooling == "attention"
        for number, units in enumerate(config.widths):
            sequences = pooled or number < config.layers - 1
            lstm = LSTM(units, return_sequences=sequences, dtype=policy)
            both = Bidirectional(lstm, merge_mode=config.merge, dtype=policy, name=f"bilstm_{number}")
            both.build((None, self.window, width))
            dropout = keras.layers.Dropout(config.dropout, dtype=policy, name=f"dropout_{number}")
            self.keep(both, dropout)
            self.bidirectional.append(both)
            self.dropouts.append(dropout)
            width = 2 * units if config.merge == "concat" else units
        self.lstms = [lstm for both in self.bidirectional for lstm in (both.forward_layer, both.backward_layer)]
        self.pooling = AttentionPooling(dtype=policy, name="pooling") if pooled else None
        if self.pooling:
            self.pooling.build((None, self.window, width))
        return width

    @classmethod
    def count_products(cls, config: ModelConfig, *, window: int) -> tuple[int, int]:
        """Counts the products of both directions over a whole window; see `LanguageModel.count_products`."""
        products, width = 0, config.embedding
        for units in config.widths:
            products += 2 * window * count_products(width, units)
            width = 2 * units if config.merge == "concat" else units
        return products, width

    def encode(
        self, x: tf.Tensor, mask: tf.Tensor, states: Sequence[tf.Tensor] | None, training: bool | None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Encodes each window as one vector; see `LanguageModel.encode`.

        Args:
            x: float [B, W, E], token vectors.
            mask: bool [B, W], False at padding.
            states: None, since each window is read whole.
            training: whether dropout is active.

        Returns:
            Vectors [B, width], and an empty list of states.

        Raises:
            ValueError: `states` are given.
        """
        if states is not None:
            raise ValueError("a bilstm reads each window whole and has no states. Leave states out, or use an lstm.")
        for both, dropout in zip(self.bidirectional, self.dropouts, strict=True):
            x = dropout(both(x, mask=mask, training=training), training=training)
        return x if self.pooling is None else self.pooling(x, mask=mask), []
