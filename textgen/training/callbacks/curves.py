"""Callback that draws `curves.png`: loss, accuracy and perplexity of a run."""

import io
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from textgen.files import write_atomically
from textgen.training.callbacks import Callback, Check
from textgen.training.callbacks.history import HistoryRow
from textgen.training.metrics import perplexity


class Curves(Callback):
    """Draws the curves of all checks so far, at most once per interval and at the end."""

    def __init__(self, path: Path, *, interval_seconds: float = 20.0):
        """Makes the callback.

        Args:
            path: path of the image.
            interval_seconds: shortest time between two drawings; one takes half a second, which frequent checks of a
                small model do not leave.
        """
        self._path = path
        self._interval_seconds = interval_seconds
        self._drawn_at = -math.inf
        self._undrawn: Sequence[HistoryRow] = ()

    def on_check(self, check: Check) -> None:
        """Replaces the image if the last drawing is older than the interval.

        Raises:
            OSError: the image can't be written.
        """
        self._undrawn = check.history.rows
        if time.monotonic() - self._drawn_at >= self._interval_seconds:
            self._draw()

    def on_end(self) -> None:
        """Replaces the image if there was a check since the last drawing.

        Raises:
            OSError: the image can't be written.
        """
        if self._undrawn:
            self._draw()

    def _draw(self) -> None:
        png = io.BytesIO()
        draw(self._undrawn).savefig(png, dpi=110)
        write_atomically(self._path, png.getvalue())
        self._undrawn, self._drawn_at = (), time.monotonic()


class InlineFigure(Figure):
    """A figure that a notebook shows inline, even if pyplot is not imported."""

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()


def draw(rows: Sequence[HistoryRow]) -> Figure:
    """Returns a figure of loss, accuracy and perplexity of training and validation by step.

    The figure is independent of pyplot, so drawing does not change matplotlib's backend.

    Args:
        rows: metrics of the checks, in ascending order of steps.
    """
    figure = InlineFigure(figsize=(15, 4), layout="constrained")
    axes = figure.subplots(1, 3)
    losses = [row.loss for row in rows], [row.validation_loss for row in rows]
    accuracies = [row.accuracy for row in rows], [row.validation_accuracy for row in rows]
    panels: list[tuple[str, tuple[Sequence[float | None], ...]]] = [
        ("loss (nats per token)", losses),
        ("accuracy", accuracies),
        ("perplexity", tuple(_each(perplexity, values) for values in losses)),
    ]
    for axis, (title, (training, validation)) in zip(axes, panels, strict=True):
        for values, label in ((training, "training"), (validation, "validation")):
            if any(value is not None for value in values):
                numbers = [math.nan if value is None else value for value in values]
                axis.plot([row.step for row in rows], numbers, marker="o", label=label)
                axis.legend()
        axis.set(title=title, xlabel="step")
        axis.grid(alpha=0.3)
    axes[2].set_yscale("log")
    return figure


def _each(function: Callable[[float], float], values: Sequence[float | None]) -> list[float | None]:
    """Applies a function to each value that is not None."""
    return [None if value is None else function(value) for value in values]
