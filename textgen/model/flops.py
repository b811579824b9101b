"""What training costs in arithmetic, to tell what a loader has to deliver."""

from textgen.config import ModelConfig

_GATES = 4
_BACKWARD = 2
"""The backward pass multiplies twice where the forward pass does once: for the inputs, and for the weights."""


def training_flops(config: ModelConfig, *, vocabulary_size: int, window: int) -> int:
    """Floating-point operations that a pair takes in a training step, a multiplication and an addition being two.

    Only matrix products are counted: the four gates of each LSTM, for each token and direction, from its input and
    its state (Hochreiter & Schmidhuber 1997), and the logits. An `lstm` has a target at each token that it reads.
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
