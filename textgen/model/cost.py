"""What training costs in arithmetic, to tell what a loader has to deliver."""

from textgen.config import ModelConfig

_GATES = 4
_BACKWARD = 2
"""The backward pass multiplies twice where the forward pass does once: for the inputs, and for the weights."""


def training_flops(config: ModelConfig, *, vocabulary_size: int, window: int) -> int:
    """Floating-point operations that a pair takes in a training step, a multiplication and an addition being two.

    Only matrix products are counted: the four gates of each LSTM, for each token and direction, from its input and
    its state (Hochreiter & Schmidhuber 1997), and the logits.
    """
    products, width = 0, config.embedding
    for _ in range(config.layers):
        products += 2 * window * _GATES * config.units * (width + config.units)
        width = 2 * config.units
    products += width * vocabulary_size
    return 2 * products * (1 + _BACKWARD)
