"""Floating-point operations of training, from which the required speed of a loader follows."""

from textgen.config import ModelConfig

_GATES = 4
_BACKWARD = 2
"""Matrix products of the backward pass per product of the forward pass: one for the inputs, one for the weights."""


def training_flops(config: ModelConfig, *, vocabulary_size: int, window: int) -> int:
    """Returns the number of floating-point operations per pair in a training step.

    A multiplication and an addition count as two. Only matrix products are counted: the four gates of each LSTM per
    token and direction, from its input and its state (Hochreiter & Schmidhuber 1997), the projection and the logits.
    An `lstm` reads one token per pair, since each of its tokens has a target; a `bilstm` reads a whole window.

    Args:
        config: settings of the network.
        vocabulary_size: V, number of ids.
        window: W, number of tokens of context.
    """
    directions, tokens = (1, 1) if config.causal else (2, window)
    products, width = 0, config.embedding
    for units in config.widths:
        products += directions * tokens * _GATES * units * (width + units)
        width = directions * units if config.merge == "concat" else units
    if config.tied and width != config.embedding:
        products += width * config.embedding
        width = config.embedding
    products += width * vocabulary_size
    return 2 * products * (1 + _BACKWARD)
