"""The network: it reads a closed window of tokens in both directions and predicts the token after it.

It has one target a window. With a target at every position the backward direction would read its own labels.
"""

import keras

from textgen.config import ModelConfig
from textgen.model.recurrence import bidirectional


def build(config: ModelConfig, *, vocabulary_size: int, window: int) -> keras.Model:
    """int32 [B, W], padded on the right with 0 → float32 logits [B, vocabulary_size].

    On a GPU the LSTM runs in cuDNN: tanh and sigmoid, no recurrent dropout, and a mask that is padded on the right
    with no row wholly masked, since X is never empty.
    """
    ids = keras.Input((window,), dtype="int32", name="ids")
    x = keras.layers.Embedding(vocabulary_size, config.embedding, mask_zero=True, name="embedding")(ids)
    for layer in range(config.layers):
        last = layer == config.layers - 1
        x = bidirectional(config.units, return_sequences=not last, name=f"bilstm_{layer}")(x)
        x = keras.layers.Dropout(config.dropout, name=f"dropout_{layer}")(x)
    # Logits stay float32 under mixed precision: a softmax over many words needs the digits.
    logits = keras.layers.Dense(vocabulary_size, dtype="float32", name="logits")(x)
    return keras.Model(ids, logits, name="bilstm")
