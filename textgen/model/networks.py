"""The networks. On a GPU every LSTM runs in cuDNN: tanh and sigmoid, no recurrent dropout, and a mask that is padded
on the right with no row wholly masked, since X is never empty.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from textgen.config import ModelConfig
from textgen.model.lm_head import Logits
from textgen.model.lstm import LSTM, Bidirectional
from textgen.model.pooling import AttentionPooling


def build(config: ModelConfig, *, vocabulary_size: int, window: int, precision: str = "float32") -> keras.Model:
    """A network of ids, int32 [B, W], padded on the right with 0.

    Args:
        config: which one. `bilstm` gives float32 scores [B, V] of the token after the window; it has one target a
            window, since with a target at every place the backward direction would read its own labels. `lstm` gives
            float32 scores [B, W, V] of the token after each place.
        vocabulary_size: V.
        window: W.
        precision: that of activations, see `TrainConfig`.
    """
    policy = keras.DTypePolicy("mixed_bfloat16" if precision == "bfloat16" else precision)
    ids = keras.Input((window,), dtype="int32", name="ids")
    embedding = keras.layers.Embedding(
        vocabulary_size, config.embedding, mask_zero=True, dtype=policy, name="embedding"
    )
    read = _read_both_ways if config.network == "bilstm" else _read_forwards
    hidden = read(embedding(ids), config, policy)
    if config.tied and hidden.shape[-1] != config.embedding:
        hidden = keras.layers.Dense(config.embedding, dtype=policy, name="projection")(hidden)
    logits = Logits(vocabulary_size, tied_to=embedding if config.tied else None, name="logits")(hidden)
    return keras.Model(ids, logits, name=config.network)


def _read_both_ways(x: keras.KerasTensor, config: ModelConfig, policy: keras.DTypePolicy) -> keras.KerasTensor:
    """[B, W, embedding] → [B, D]."""
    for layer, units in enumerate(config.widths):
        to_pool = config.pooling == "attention" or layer < config.layers - 1
        lstm = LSTM(units, return_sequences=to_pool, dtype=policy)
        x = Bidirectional(lstm, merge_mode=config.merge, dtype=policy, name=f"bilstm_{layer}")(x)
        x = keras.layers.Dropout(config.dropout, dtype=policy, name=f"dropout_{layer}")(x)
    return AttentionPooling(dtype=policy, name="pooling")(x) if config.pooling == "attention" else x


def _read_forwards(x: keras.KerasTensor, config: ModelConfig, policy: keras.DTypePolicy) -> keras.KerasTensor:
    """[B, W, embedding] → [B, W, D]."""
    for layer, units in enumerate(config.widths):
        lstm = LSTM(units, return_sequences=True, return_state=True, dtype=policy, name=f"lstm_{layer}")
        x, *_ = lstm(x)
        x = keras.layers.Dropout(config.dropout, dtype=policy, name=f"dropout_{layer}")(x)
    return x


def features(model: keras.Model) -> keras.Model:
    """The network without its last layer: ids → hidden [..., D], with the same weights."""
    return keras.Model(model.inputs, model.get_layer("logits").input, name="features")


def is_causal(model: keras.Model) -> bool:
    """Whether a network reads forwards alone, and so can go on from states."""
    return model.name == "lstm"


def with_states(model: keras.Model) -> keras.Model:
    """An `lstm` that goes on from states: [ids, *states] → [hidden, *states], with the same weights.

    States are h and c of each layer, [B, units] each; of the hidden vectors the layer `logits` makes scores.
    """
    (ids,) = model.inputs
    states, last = list[keras.KerasTensor](), list[keras.KerasTensor]()
    embedding = model.get_layer("embedding")
    x, mask = embedding(ids), embedding.compute_mask(ids)
    for layer in model.layers:
        if isinstance(layer, keras.layers.LSTM):
            mine = [keras.Input((layer.units,), dtype=layer.compute_dtype) for _ in "hc"]
            x, *left = layer(x, mask=mask, initial_state=mine)
            states += mine
            last += left
        elif isinstance(layer, keras.layers.Dropout | keras.layers.Dense):
            x = layer(x)
    return keras.Model([ids, *states], [x, *last], name="with_states")


def state_widths(model: keras.Model) -> list[int]:
    """The units of each state that `with_states` takes."""
    return [layer.units for layer in model.layers if isinstance(layer, keras.layers.LSTM) for _ in "hc"]


def step(model: keras.Model, ids: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """One token further in an `lstm`.

    Args:
        model: the network.
        ids: int32 [B].
        states: see `with_states`.

    Returns:
        Scores [B, V] of the token after these, and the states.
    """
    embedding = model.get_layer("embedding")
    # Not by its call, whose mask a cell does not take.
    x = tf.cast(tf.gather(tf.convert_to_tensor(embedding.embeddings), ids), embedding.compute_dtype)
    left = list[tf.Tensor]()
    for layer in model.layers:
        if isinstance(layer, keras.layers.LSTM):
            x, after = layer.cell(x, states[len(left) :][:2], training=False)
            left += after
        elif isinstance(layer, keras.layers.Dense | Logits):
            x = layer(x)
    return x, left
