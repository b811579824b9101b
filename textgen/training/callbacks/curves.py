"""Callback that draws `curves.png`: loss, accuracy and perplexity of a run."""

import io
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from textgen.files import write_atomically
from textgen.training.callbacks import Callback, Check
from textgen.training.callbacks.history import HistoryRow
from textgen.training.metrics import perplexity


class Curves(Callback):
    """Draws the curves of all checks so far, at most once per interval and at the end."""

    def __init__(
        self,
        path: Path,
        *,
        make_baselines: Callable[[], Mapping[str, float]] = dict,
        interval_seconds: float = 20.0,
    ):
        """Makes the callback.

        Args:
            path: path of the image.
            make_baselines: returns the losses of the baselines in nats per target, by name, at the first check.
            interval_seconds: shortest time between two drawings; one takes half a second, which frequent checks of a
                small model do not leave.
        """
        self._path = path
        self._interval_seconds = interval_seconds
        self._drawn_at = -math.inf
        self._undrawn: Sequence[HistoryRow] = ()
        self._make_baselines = make_baselines
        self._baselines: Mapping[str, float] | None = None

    def on_check(self, check: Check) -> None:
        """Replaces the image if the last drawing is older than the interval.

        Raises:
            OSError: the image can't be written.
        """
        self._undrawn = check.history.rows
        if self._baselines is None:
            self._baselines = self._make_baselines()
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
        draw(self._undrawn, self._baselines or {}).savefig(png, dpi=110)
        write_atomically(self._path, png.getvalue())
        self._undrawn, self._drawn_at = (), time.monotonic()


class InlineFigure(Figure):
    """A figure that a notebook shows inline, even if pyplot is not imported."""

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()


def draw(rows: Sequence[HistoryRow], baselines: Mapping[str, float] | None = None) -> Figure:
    """Returns a figure of loss, accuracy and perplexity of training and validation by step.

    The figure is independent of pyplot, so drawing does not change matplotlib's backend.

    Args:
        rows: metrics of the checks, in ascending order of steps.
        baselines: losses of n-gram models on the validation split in nats per target, by name; each is a line.
    """
    figure = InlineFigure(figsize=(15, 4), layout="constrained")
    axes = figure.subplots(1, 3)
    losses = [row.loss for row in rows], [row.validation_loss for row in rows]
    accuracies = [row.accuracy for row in rows], [row.validation_accuracy for row in rows]
    lines = baselines or {}
    perplexities = {name: perplexity(loss) for name, loss in lines.items()}
    panels: list[tuple[str, tuple[Sequence[float | None], ...], Mapping[str, float]]] = [
        ("loss (nats per token)", losses, lines),
        ("accuracy", accuracies, {}),
        ("perplexity", tuple(_each(perplexity, values) for values in losses), perplexities),
    ]
    axes[2].set_yscale("log")
    for axis, (title, curves, levels) in zip(axes, panels, strict=True):
        _draw_panel(axis, [row.step for row in rows], curves, levels)
        axis.set(title=title, xlabel="step")
    return figure


_LINE_STYLES = (":", "-.", "--")


def _draw_panel(
    axis: Axes, steps: Sequence[int], curves: Sequence[Sequence[float | None]], levels: Mapping[str, float]
) -> None:
    """Draws the curves of training and validation, horizontal lines at the levels, and plain numbers on both axes."""
    for values, label in zip(curves, ("training", "validation"), strict=True):
        if any(value is not None for value in values):
            axis.plot(steps, [math.nan if value is None else value for value in values], marker="o", label=label)
    for (name, level), style in zip(levels.items(), _LINE_STYLES, strict=False):
        axis.axhline(level, color="gray", linestyle=style, label=f"{name} {level:,.4g}")
    if axis.get_legend_handles_labels()[0]:
        axis.legend()
    axis.grid(alpha=0.3)
    axis.xaxis.set_major_formatter(FuncFormatter(_plain))
    axis.yaxis.set_major_formatter(FuncFormatter(_plain))
    if axis.get_yscale() == "log":
        axis.yaxis.set_minor_formatter(FuncFormatter(_plain))


def _plain(number: float, position: int | None = None) -> str:
    """Returns a tick's number without exponent or offset; `position` is ignored."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.6g}" if abs(number) >= 1e-4 else f"{number:.6f}"


def _each(function: Callable[[float], float], values: Sequence[float | None]) -> list[float | None]:
    """Applies a function to each value that is not None."""
    return [None if value is None else function(value) for value in values]
