"""What the scripts that train share: their arguments, the models, random pairs, and the measurement."""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Reserved ids stand for no token: the windows are full.
FIRST_ID = 4
LEARNING_RATE = 0.001
BATCHES = 8
STEPS_A_CALL = 4

WARM_UP_SECONDS = 3


@dataclass(frozen=True, kw_only=True)
class Model:
    """Embedding → layers of bidirectional LSTMs, concatenated → logits over the words."""

    words: int
    embedding: int
    layers: int
    units: int
    window: int


MODELS = {
    "notebook": Model(words=500, embedding=8, layers=3, units=50, window=44),
    "large": Model(words=8000, embedding=128, layers=2, units=256, window=64),
}


def parser() -> argparse.ArgumentParser:
    """The arguments of every script; some add their own."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model", choices=MODELS)
    arguments.add_argument("--batch", type=int, required=True)
    arguments.add_argument("--seconds", type=float, default=6, help="how long to measure")
    return arguments


def pairs(model: Model, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Some batches of random ids: X int32 [N, batch, W], y int32 [N, batch]."""
    ids = np.random.RandomState(0).randint(FIRST_ID, model.words, [BATCHES, batch, model.window + 1])
    ids = ids.astype(np.int32)
    return ids[..., :-1], ids[..., -1]


class Clock:
    """Measures what is told it of steps: the seconds of the first, then after a warm-up the steps of some seconds."""

    def __init__(self, batch: int, seconds: float):
        self._batch = batch
        self._seconds = seconds
        self._started = time.monotonic()
        self._first = 0.0
        self._began = 0.0
        self._steps = 0
        self._now = self._started

    def goes_on(self, steps: int) -> bool:
        """To be asked after so many steps more are done; False once enough is known."""
        self._now = time.monotonic()
        if not self._first:
            self._first = self._now - self._started
        elif self._began:
            self._steps += steps
        elif self._now - self._started - self._first > WARM_UP_SECONDS:
            self._began = self._now
        return not self._began or self._now - self._began < self._seconds

    def print(self) -> None:
        """As one JSON line."""
        told = {"first": self._first, "seconds": self._now - self._began, "pairs": self._steps * self._batch}
        print(json.dumps(told), flush=True)


def measure(train: Callable[[int], object], *, steps: int, clock: Clock) -> None:
    """`train` takes that many steps and returns once they are done; the first time it takes one."""
    goes_on = clock.goes_on(_done(train, 1))
    while goes_on:
        goes_on = clock.goes_on(_done(train, steps))
    clock.print()


def _done(train: Callable[[int], object], steps: int) -> int:
    train(steps)
    return steps
