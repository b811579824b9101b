"""`history.csv`: a line for each check."""

import csv
import dataclasses
import io
from pathlib import Path

from textgen.files import write_atomically

_EMPTY = ""

_INPUT_BOUND = 0.1
"""The share of the time from which on a faster loader would be felt."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """A check; figures of training are over the steps since the check before.

    Attributes:
        step: batches trained on.
        epoch: how often all pairs were seen.
        seconds: of training, checks left out.
        pairs_per_second: targets trained on.
        waited: the share of the seconds in which a step waited for its batch.
        learning_rate: of the last step.
        gradient_norm: the mean, before clipping.
        loss: nats a target.
        accuracy: the share of targets that were the likeliest token. None with a sampled softmax.
        validation_loss: as loss, on the validation split. None where nothing is held out, as are the next two.
        validation_accuracy: as accuracy.
        validation_bits_per_character: None also where a stride leaves targets out.
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
        """The loss that early stopping and the best checkpoint go by."""
        return self.loss if self.validation_loss is None else self.validation_loss

    @property
    def bottleneck(self) -> str:
        """What bounds the speed, in words."""
        bound = "input-bound" if self.waited > _INPUT_BOUND else "compute-bound"
        return f"{bound}, {self.waited:.1%} of the time waiting for data"


class History:
    """The rows of a run.

    Attributes:
        rows: in order.
    """

    def __init__(self, path: Path, *, until_step: int = 0):
        """Goes on from the rows that `path` has up to a step; later ones belong to work that is done again."""
        self._path = path
        self.rows = [row for row in _read(path) if row.step <= until_step]

    def write(self) -> None:
        """Puts the rows on disk in the place of those that are there."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in dataclasses.fields(HistoryRow))
        for row in self.rows:
            writer.writerow(_EMPTY if value is None else value for value in dataclasses.astuple(row))
        write_atomically(self._path, file.getvalue().encode())


def _read(path: Path) -> list[HistoryRow]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        lines = [{k: None if v == _EMPTY else float(v) for k, v in line.items()} for line in csv.DictReader(file)]
    return [HistoryRow(**{**line, "step": int(line["step"] or 0)}) for line in lines]  # type: ignore[arg-type]
