"""Floating-point operations of training, from which the required speed of a loader follows, and sizes of weights."""

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


def matrix_weights(config: ModelConfig, *, vocabulary_size: int) -> int:
    """Returns the number of weights in the matrices of a network, without making it: all but biases and pooling.

    Args:
        config: settings of the network.
        vocabulary_size: V, number of ids.
    """
    # A matrix multiplies each of its weights once per position.
    weights, width = NETWORKS[config.network].count_products(config, window=1)
    weights += vocabulary_size * config.embedding
    if not config.tied:
        return weights + vocabulary_size * width
    return weights + (width * config.embedding if width != config.embedding else 0)
