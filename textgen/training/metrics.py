"""How well a model, as it then is, predicts the targets of some batches."""

import math
from collections.abc import Callable, Iterable

import keras
import tensorflow as tf

from textgen.config import NO_MEMORY, MemoryConfig
from textgen.dataset.storage.manifest import Manifest
from textgen.model.neural_cache import Memory
from textgen.training.data import Batches
from textgen.training.losses import Measure, carried_cost, make_states, plain_cost, remembering_cost
from textgen.training.step import NOTHING, Steps, Sums, measuring_steps
from textgen.training.strategy import Replicas

_STEPS_A_CALL = 64

Score = Callable[[Iterable[Batches]], Sums]
"""The sums over all targets of some batches."""


def make_score(replicas: Replicas, model: keras.Model, *, memory: MemoryConfig = NO_MEMORY) -> Score:
    """A function that measures the model.

    An `lstm` reads each document on from its beginning, a row of the batch after another, whatever it was trained on.

    Args:
        replicas: the devices.
        model: the network.
        memory: what an `lstm` remembers.
    """
    made: dict[int, Steps] = {}

    def steps_for(lanes: int) -> Steps:
        if lanes not in made:
            if lanes:
                # Each process reads all of them, on one device: lanes are few, and their states are at one place.
                measure = _reading_on(model, lanes, memory)
                made[lanes] = measuring_steps(tf.distribute.get_strategy(), measure)
            else:
                made[lanes] = measuring_steps(replicas.strategy, plain_cost(model, training=False))
        return made[lanes]

    def score(held_out: Iterable[Batches]) -> Sums:
        total = NOTHING
        for batches in held_out:
            left, steps = batches.steps, steps_for(batches.lanes)
            while left:
                now = min(left, _STEPS_A_CALL)
                total = steps(batches.iterator, now, total)
                left -= now
        return total

    return score


def _reading_on(model: keras.Model, lanes: int, memory: MemoryConfig) -> Measure:
    states = make_states(model, lanes)
    if not memory.tokens:
        return carried_cost(model, states, training=False)
    width = model.get_layer("logits").input.shape[-1]
    return remembering_cost(model, states, Memory(memory, rows=lanes, width=width))


def bits_per_character(loss: float, manifest: Manifest, split: str) -> float | None:
    """The loss of a whole split in bits, over the characters of its cleaned text.

    Args:
        loss: the mean, in nats a target.
        manifest: of the dataset.
        split: that was measured.

    Returns:
        None where a stride leaves targets out.
    """
    counts = manifest.total.splits[split]
    return loss * counts.pairs / math.log(2) / counts.characters if manifest.config.stride == 1 else None
