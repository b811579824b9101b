"""Reading and writing of `history.csv`, with one row of metrics per check."""

import csv
import dataclasses
import io
import math
from collections.abc import Mapping
from pathlib import Path

from textgen.errors import one_line, require
from textgen.files import write_atomically
from textgen.regular_files import read_regular
from textgen.training.damaged_files import DamagedFileError, read_or_set_aside

_EMPTY = ""

_MAX_BYTES, _MAX_STEP = 1 << 28, 1 << 53
"""Bounds of the size of a file and of a step."""

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

    def __init__(self, path: Path, *, until_step: int = 0, rows: list[HistoryRow] | None = None):
        """Reads the rows of a CSV file up to a step; a resumed run repeats the later rows.

        Args:
            path: path of the file, which need not exist.
            until_step: last step whose row is kept.
            rows: rows to use instead of those of the file; None to read the file.

        Raises:
            UserError: the file is damaged.
            OSError: the file can't be read.
        """
        self._path = path
        self.rows = [row for row in _read(path) if row.step <= until_step] if rows is None else rows

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


def resumed_history(path: Path, *, step: int, is_chief: bool) -> History:
    """Returns the history of a run up to the step of its checkpoint; a damaged file is set aside.

    Args:
        path: path of the file, which need not exist.
        step: step of the checkpoint.
        is_chief: whether this process writes the file; for others the history begins empty.

    Raises:
        OSError: a damaged file can't be renamed.
    """
    rows: list[HistoryRow] = read_or_set_aside(path, _read, empty=[], step=step) if is_chief else []
    return History(path, rows=[row for row in rows if row.step <= step])


def _read(path: Path) -> list[HistoryRow]:
    """Returns all rows of a file, none if it does not exist; raises UserError if it is damaged."""
    try:
        content = read_regular(path, max_bytes=_MAX_BYTES)
    except FileNotFoundError:
        return []
    try:
        lines = list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))
        rows = [_row(line) for line in lines]
        steps = [row.step for row in rows]
        require(steps == sorted(set(steps)), "its steps do not rise; each row must have a higher one than the last")
    except (ValueError, TypeError, csv.Error) as error:
        raise DamagedFileError(
            f"{path} is damaged: {one_line(error)}. Remove it, or resume the training, which sets it aside."
        ) from None
    return rows


def _row(line: Mapping[str, str]) -> HistoryRow:
    """Returns a row; raises ValueError or TypeError if a value is missing, unknown or no number."""
    values = {name: None if value == _EMPTY else float(value) for name, value in line.items()}
    step = values.pop("step", None)
    require(
        step is not None and step.is_integer() and 0 <= step <= _MAX_STEP,
        f"a step is {line.get('step')!r}; it must be a whole number from 0 to {_MAX_STEP:,}",
    )
    for name, value in values.items():
        # A norm may be infinite where one gradient was.
        is_finite = value is None or math.isfinite(value) or name == "gradient_norm"
        require(is_finite, f"{name} is {value}; it must be a finite number")
    for field in dataclasses.fields(HistoryRow):
        is_required = field.name not in ("step", "accuracy") and field.default is dataclasses.MISSING
        is_given = values.get(field.name) is not None
        require(is_given or not is_required, f"{field.name} is missing; every row must have it")
    return HistoryRow(step=int(step or 0), **values)  # type: ignore[arg-type]
