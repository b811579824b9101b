"""Reading and writing of `history.csv`, with one row of metrics per check."""

import csv
import dataclasses
import io
from pathlib import Path

from textgen.files import write_atomically

_EMPTY = ""

_INPUT_BOUND = 0.1
"""Fraction of the training time above which waiting for data is reported as the bottleneck."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """Metrics of a check; training metrics cover the steps since the previous check.

    Attributes:
        step: number of steps taken.
        epoch: number of passes over all pairs, with fraction.
        seconds: training time in seconds, without checks.
        pairs_per_second: number of targets per second of training.
        waited: fraction of the training time for which steps waited for their batches.
        learning_rate: learning rate of the last step.
        gradient_norm: mean norm of the gradient before clipping.
        loss: cross-entropy in nats per target.
        accuracy: fraction of targets that are the most likely token. None with a sampled softmax.
        validation_loss: cross-entropy on the validation split in nats per target. All three validation metrics are
            None if there is no validation split.
        validation_accuracy: accuracy on the validation split.
        validation_bits_per_character: cross-entropy on the validation split in bits per character. Also None for a
            mixture of datasets, or if the dataset's stride skips targets.
    """

    step: int
    epoch: float
    seconds: float
    pairs_per_second: float
    waited: float
    learning_rate: float
    gradient_norm: float
    loss: float
    accuracy: float | None
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    validation_bits_per_character: float | None = None

    @property
    def monitored(self) -> float:
        """Loss that determines early stopping and the best checkpoint, in nats per target."""
        return self.loss if self.validation_loss is None else self.validation_loss

    @property
    def bottleneck(self) -> str:
        """Bottleneck of training, input or compute, and the fraction of time spent waiting for data, as text."""
        bound = "input-bound" if self.waited > _INPUT_BOUND else "compute-bound"
        return f"{bound}, {self.waited:.1%} of the time waiting for data"


class History:
    """Metrics of all checks of a run, stored in a CSV file.

    Attributes:
        rows: metrics of all checks, in ascending order of steps.
    """

    def __init__(self, path: Path, *, until_step: int = 0):
        """Reads the rows of a CSV file up to a step; a resumed run repeats the later rows.

        Args:
            path: path of the file, which need not exist.
            until_step: last step whose row is kept.

        Raises:
            OSError: the file can't be read.
        """
        self._path = path
        self.rows = [row for row in _read(path) if row.step <= until_step]

    def write(self) -> None:
        """Replaces the file with all rows.

        Raises:
            OSError: the file can't be written.
        """
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in dataclasses.fields(HistoryRow))
        for row in self.rows:
            writer.writerow(_EMPTY if value is None else value for value in dataclasses.astuple(row))
        write_atomically(self._path, file.getvalue().encode())


def _read(path: Path) -> list[HistoryRow]:
    """Returns all rows of a file; none if it does not exist."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        lines = [{k: None if v == _EMPTY else float(v) for k, v in line.items()} for line in csv.DictReader(file)]
    return [HistoryRow(**{**line, "step": int(line["step"] or 0)}) for line in lines]  # type: ignore[arg-type]
