"""`curves.png`: how a run goes, drawn."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # A run has no screen.
from matplotlib import pyplot as plt  # noqa: E402

from textgen.training.callbacks.history import HistoryRow  # noqa: E402
from textgen.training.metrics import perplexity  # noqa: E402


def draw(rows: Sequence[HistoryRow], path: Path) -> None:
    """Draws loss, accuracy and perplexity over the steps, of training and of validation."""
    figure, axes = plt.subplots(1, 3, figsize=(15, 4), layout="constrained")
    losses = [row.loss for row in rows], [row.validation_loss for row in rows]
    accuracies = [row.accuracy for row in rows], [row.validation_accuracy for row in rows]
    panels: list[tuple[str, tuple[Sequence[float | None], ...]]] = [
        ("loss (nats a token)", losses),
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
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _each(function: Callable[[float], float], values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else function(value) for value in values]
