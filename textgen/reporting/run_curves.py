"""The curves of a run's report: what was measured at each check of the training."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from textgen.reporting.markup import Content, paragraph
from textgen.reporting.plots import Axis, Series, percent, plot
from textgen.training import stored_baselines
from textgen.training.callbacks.history import HistoryRow


def curves(rows: Sequence[HistoryRow], run: Path) -> Iterator[Content]:
    """Yields loss, accuracy and bits per character by step; the n-gram models stored with the run are lines."""
    if not rows:
        yield paragraph("There are none.")
        return
    steps = [row.step for row in rows]
    step = Axis("step", low=0)
    ends = [steps[0], steps[-1]]
    losses = [
        Series("training", steps, [row.loss for row in rows]),
        Series("validation", steps, [row.validation_loss for row in rows]),
        *(Series(name, ends, [loss, loss]) for name, loss in stored_baselines.read(run).items()),
    ]
    yield plot("Loss", step, Axis("nats per token"), losses, caption="Loss; the n-gram models are lines.")
    accuracies = [
        Series("training", steps, [row.accuracy for row in rows]),
        Series("validation", steps, [row.validation_accuracy for row in rows]),
    ]
    yield plot("Accuracy", step, Axis("most likely token is right", shown=percent), accuracies)
    bits = Series("validation", steps, [row.validation_bits_per_character for row in rows])
    if any(value is not None for value in bits.y):
        yield plot("Bits per character", step, Axis("bits per character"), [bits])


def rates(rows: Sequence[HistoryRow]) -> Iterator[Content]:
    """Yields learning rate, gradient norm and speed by step."""
    if not rows:
        yield paragraph("There is no history.")
        return
    steps, step = [row.step for row in rows], Axis("step", low=0)
    rates = Series("learning rate", steps, [row.learning_rate for row in rows])
    yield plot("Learning rate", step, Axis("learning rate", low=0), [rates])
    norms = Series("gradient norm", steps, [row.gradient_norm for row in rows])
    caption = "Mean norm of the gradient between two checks, before clipping."
    yield plot("Gradient norm", step, Axis("norm"), [norms], caption=caption)
    speeds = Series("speed", steps, [row.pairs_per_second for row in rows])
    yield plot("Speed", step, Axis("targets per second", low=0), [speeds])
