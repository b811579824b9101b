"""What the scripts that serve pairs share: their arguments, the windows of an array of ids, and the measurement."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path

import numpy as np

# Ids before the target of a pair, and pairs in a batch.
WINDOW = 44
BATCH = 1024

# What is served before the measurement begins: both must be over.
WARM_UP_SECONDS = 3
WARM_UP_BATCHES = 50


def parser() -> argparse.ArgumentParser:
    """The arguments of every script; some add their own."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data", type=Path, help="what is served: a file of ids, or a folder in another format")
    arguments.add_argument("--seconds", type=float, default=6, help="how long to measure")
    return arguments


def read_ids(path: Path) -> np.ndarray:
    """The ids of all documents on end, uint16 [T], mapped into memory."""
    # Not as the memmap that it is: slices of an object of that class cost several times as much.
    return np.memmap(path, np.uint16, "r").view(np.ndarray)


def windows(ids: np.ndarray) -> np.ndarray:
    """Every window and the id after it: a view [T - W, W + 1]."""
    return np.lib.stride_tricks.sliding_window_view(ids, WINDOW + 1)


def take_one(batches: Iterator[tuple[Sized, Sized]]) -> int:
    """Takes a batch; how many pairs it has."""
    return len(next(batches)[1])


def measure(
    serve: Callable[[], Iterable[tuple[Sized, Sized]]],
    seconds: float,
    *,
    take: Callable[[Iterator], int] | None = None,
) -> None:
    """Takes batches (X, y) in a loop, as a trainer does, and prints what was measured as one JSON line.

    Args:
        serve: opens the data and gives batches without end.
        seconds: how long pairs are counted, after the warm-up.
        take: takes a batch or some, and tells how many pairs they had.
    """
    take = take or take_one
    started = time.monotonic()
    batches = iter(serve())
    x, y = next(batches)
    first = time.monotonic() - started
    if tuple(x.shape) != (BATCH, WINDOW) or tuple(y.shape) != (BATCH,):
        sys.exit(f"a batch has the shapes {tuple(x.shape)} and {tuple(y.shape)}")
    warm_up(lambda: take(batches))
    pairs = 0
    began = now = time.monotonic()
    while now - began < seconds:
        pairs += take(batches)
        now = time.monotonic()
    print(json.dumps({"first": first, "seconds": now - began, "pairs": pairs}), flush=True)


def warm_up(take: Callable[[], int]) -> None:
    """Leaves out the first batches."""
    began, pairs = time.monotonic(), 0
    while pairs < WARM_UP_BATCHES * BATCH or time.monotonic() - began < WARM_UP_SECONDS:
        pairs += take()
