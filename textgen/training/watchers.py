"""What is seen of a run: `history.csv`, `curves.png` and `samples.jsonl`."""

import csv
import dataclasses
import json
import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # A run has no screen.
from matplotlib import pyplot as plt  # noqa: E402

_EMPTY = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the history; losses in nats a pair, over the pairs since the line before.

    Validation figures are None where nothing is held out.
    """

    step: int
    epoch: float
    seconds: float
    pairs_per_second: float
    loss: float
    accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None

    @property
    def monitored(self) -> float:
        """The loss that early stopping and the best checkpoint go by."""
        return self.loss if self.validation_loss is None else self.validation_loss


class History:
    """The rows of a run, on disk as they come."""

    def __init__(self, path: Path, *, until_step: int = 0):
        """Goes on from the rows that `path` has up to a step; later ones belong to work that is done again."""
        self._path = path
        self.rows = [row for row in _read(path) if row.step <= until_step]
        self._write()

    def add(self, row: Row) -> None:
        """Adds a row."""
        self.rows.append(row)
        self._write()

    def _write(self) -> None:
        temporary = self._path.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(field.name for field in dataclasses.fields(Row))
            for row in self.rows:
                writer.writerow(_EMPTY if value is None else value for value in dataclasses.astuple(row))
        temporary.replace(self._path)


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        lines = [{k: None if v == _EMPTY else float(v) for k, v in line.items()} for line in csv.DictReader(file)]
    return [Row(**{**line, "step": int(line["step"] or 0)}) for line in lines]  # type: ignore[arg-type]


def draw_curves(rows: list[Row], path: Path) -> None:
    """Draws loss and accuracy over the steps."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    steps = [row.step for row in rows]
    panels = (
        (axes[0], "loss (nats a token)", "loss", "validation_loss"),
        (axes[1], "accuracy", "accuracy", "validation_accuracy"),
    )
    for axis, title, training, validation in panels:
        axis.plot(steps, [getattr(row, training) for row in rows], marker="o", label="training")
        held_out = [getattr(row, validation) for row in rows]
        if any(value is not None for value in held_out):
            axis.plot(steps, [math.nan if v is None else v for v in held_out], marker="o", label="validation")
        axis.set(title=title, xlabel="step")
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def add_sample(path: Path, *, step: int, prompt: str, temperature: float, seed: int, text: str) -> None:
    """Adds a sample of text to a JSON Lines file."""
    sample = {"step": step, "prompt": prompt, "temperature": temperature, "seed": seed, "text": text}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(sample, ensure_ascii=False) + "\n")
