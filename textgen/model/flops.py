"""Floating-point operations of training, from which the required speed of a loader follows."""

from textgen.config import ModelConfig
from textgen.model.networks import NETWORKS

_BACKWARD = 2
"""Matrix products of the backward pass per product of the forward pass: one for the inputs, one for the weights."""


def training_flops(config: ModelConfig, *, vocabulary_size: int, window: int) -> int:
    """Returns the number of floating-point operations per pair in a training step.

    A multiplication and an addition count as two. Only matrix products are counted: those of the network's layers
    (`LanguageModel.count_products`), the projection and the logits.

    Args:
        config: settings of the network.
        vocabulary_size: V, number of ids.
        window: W, number of tokens of context.
    """
    products, width = NETWORKS[config.network].count_products(config, window=window)
    if config.tied and width != config.embedding:
        products += width * config.embedding
        width = config.embedding
    products += width * vocabulary_size
    return 2 * products * (1 + _BACKWARD)
