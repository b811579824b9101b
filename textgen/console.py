"""Shows progress messages and bars on standard error; standard output is reserved for results."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from tqdm import tqdm


def say(message: str) -> None:
    """Writes a progress message to standard error, above any open bar."""
    tqdm.write(message, file=sys.stderr)


def bar(total: int, title: str, unit: str, *, stream: TextIO | None = None, initial: int = 0) -> "tqdm[Any]":
    """Returns a progress bar with rate and remaining time.

    Args:
        total: number of units of the whole work.
        title: text before the bar.
        unit: unit of progress, such as "B".
        stream: stream to write to; None for standard error. The bar is updated every 15 s if it is not a terminal.
        initial: number of units that are already done.
    """
    stream = stream or sys.stderr
    # The stream of a notebook is no terminal, but shows text that rewrites its line as a terminal does.
    in_notebook = type(stream).__module__.startswith("ipykernel.")
    often = 0.1 if stream.isatty() else 0.5 if in_notebook else 15.0
    return tqdm(
        total=total, desc=title, unit=unit, unit_scale=True, file=stream, initial=initial, mininterval=often,
        dynamic_ncols=True, smoothing=0.1,
    )  # fmt: skip


@contextlib.contextmanager
def hushed() -> Iterator[TextIO]:
    """Discards what native code and child processes write to standard error; yields the real stream.

    TensorFlow's libraries log before they read any setting that would stop them, and Beam's workers log to the
    inherited stream.
    """
    sys.stderr.flush()
    with open(os.dup(2), "w", encoding="utf-8", buffering=1) as terminal:  # noqa: PTH123
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        try:
            yield terminal
        finally:
            sys.stderr.flush()
            os.dup2(terminal.fileno(), 2)


@contextlib.contextmanager
def quiet_logging() -> Iterator[None]:
    """Discards warnings that libraries log while they are imported, as Beam does for missing drivers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def import_tensorflow() -> None:
    """Imports TensorFlow and TensorFlow Text without their start-up messages."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with hushed():
        import tensorflow
        import tensorflow_text  # noqa: F401

        tensorflow.get_logger().setLevel("ERROR")
