"""Checks, before training on a GPU, whether cuDNN takes a network and its data."""

import itertools

from textgen.config import ModelConfig, TrainConfig
from textgen.dataset import Data, read_manifest, weights_of
from textgen.model import cudnn
from textgen.training.data import TrainingData
from textgen.training.setup import config_for
from textgen.training.strategy import make_replicas

BATCHES = 100
"""Number of batches whose masks are checked."""


def obstacles(data: Data, *, model: ModelConfig, train: TrainConfig, window: int | None = None) -> list[str]:
    """Returns the reasons why an LSTM of the network would not run in cuDNN; empty if all would.

    Args:
        data: the dataset, or datasets with their weights.
        model: settings of the network.
        train: settings of its training.
        window: number of tokens of context; None for the dataset's.

    Raises:
        UserError: the dataset can't be read with these settings.
    """
    config = config_for(read_manifest(next(iter(weights_of(data)))), window=window, model=model, train=train)
    windows = itertools.islice(TrainingData(data, config, make_replicas("one")).training(0), BATCHES)
    found = cudnn.obstacles(config.build()) + [fault for x, *_ in windows for fault in cudnn.faults(x.numpy())]
    return list(dict.fromkeys(found))
