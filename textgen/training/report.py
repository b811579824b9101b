"""What a run tells and writes at each check: on the terminal, and in its folder."""

from collections.abc import Callable
from pathlib import Path

import keras

from textgen.console import say
from textgen.runs import RunConfig
from textgen.training.callbacks import curves
from textgen.training.callbacks.history import History, HistoryRow
from textgen.training.callbacks.samples import Sample, Samples
from textgen.training.callbacks.tensorboard import TensorBoard
from textgen.training.metrics import MetricSums, perplexity

Sampler = Callable[[], str]
MakeSampler = Callable[[keras.Model, RunConfig], Sampler]
"""Makes what writes a sample of text with a model as it now is."""


class Report:
    """The callbacks of a run."""

    def __init__(self, output: Path, config: RunConfig, sampler: Sampler, history: History, *, step: int):
        """Goes on from a step: what is there of later ones belongs to work that is done again."""
        self._output, self._settings, self._sampler, self._history = output, config.train, sampler, history
        self._samples = Samples(output / "samples.jsonl", until_step=step)
        self._tensorboard = TensorBoard(output / "tensorboard", until_step=step)

    def progressed(self, step: int, sums: MetricSums, learning_rate: float) -> None:
        """Called after every graph call; `sums` are those since the last check."""
        self._tensorboard.progressed(step, sums, learning_rate)

    def checked(self, row: HistoryRow, *, best: bool) -> None:
        """Writes and tells a check."""
        settings, text = self._settings, self._sampler()
        self._history.write()
        self._samples.add(
            Sample(
                step=row.step,
                prompt=settings.sample_prompt,
                temperature=settings.sample_temperature,
                seed=settings.seed,
                text=text,
            )
        )
        self._tensorboard.checked(row, text)
        curves.draw(self._history.rows, self._output / "curves.png")
        say(f"epoch {row.epoch:.2f}: {_figures(row)}{', best so far' * best}; {row.bottleneck}")
        say(f"  sample at temperature {settings.sample_temperature:g}, seed {settings.seed}: {text}")


def _figures(row: HistoryRow) -> str:
    told = f"loss {row.loss:.3f}{_right(row.accuracy)}"
    if row.validation_loss is not None:
        told += f", validation {row.validation_loss:.3f}{_right(row.validation_accuracy)}"
        told += f", perplexity {perplexity(row.validation_loss):.1f}"
    if row.validation_bits_per_character is not None:
        told += f", {row.validation_bits_per_character:.3f} bits a character"
    return told


def _right(accuracy: float | None) -> str:
    return "" if accuracy is None else f" ({accuracy:.1%} right)"
