"""Callback that writes `samples.jsonl`, the text that the model generates at each check."""

import dataclasses
import json
import math
from pathlib import Path

from textgen.config import TrainConfig
from textgen.files import write_atomically
from textgen.regular_files import read_regular
from textgen.system_errors import naming
from textgen.training.callbacks import Callback, Check
from textgen.training.damaged_files import DamagedFileError, read_or_set_aside

_MAX_BYTES = 1 << 28
"""Bound of the size of a file of samples."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """A generated text with its settings.

    Attributes:
        step: number of training steps taken before the text was generated.
        prompt: text that the model continues.
        temperature: sampling temperature.
        seed: random seed of sampling.
        text: the generated text.
    """

    step: int
    prompt: str
    temperature: float
    seed: int
    text: str


class Samples(Callback):
    """Appends each sample to a file, one JSON object per line."""

    def __init__(self, path: Path, config: TrainConfig, *, until_step: int = 0):
        """Removes samples after a step from the file; a resumed run repeats these.

        Args:
            path: path of the file, which need not exist.
            config: training settings, with those of the samples.
            until_step: last step whose sample is kept.

        Raises:
            OSError: the file can't be read or written.
        """
        self._path, self._config = path, config
        lines: list[str] = read_or_set_aside(path, _lines, empty=[], step=until_step)
        kept = [line for line in lines if _step(line) <= until_step]
        write_atomically(path, "".join(f"{line}\n" for line in kept).encode())

    def on_check(self, check: Check) -> None:
        """Appends the sample to the file.

        Raises:
            OSError: the file can't be written.
        """
        config = self._config
        sample = Sample(
            step=check.row.step,
            prompt=config.sample_prompt,
            temperature=config.sample_temperature,
            seed=config.seed,
            text=check.sample,
        )
        with naming(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(sample), ensure_ascii=False) + "\n")


def read_samples(path: Path) -> list[Sample]:
    """Returns the samples of a file, in the order of training; none if it does not exist.

    Raises:
        UserError: the file is damaged.
        OSError: it can't be read.
    """
    rows = [json.loads(line) for line in _lines(path) if _step(line) < math.inf]
    try:
        return [Sample(**{name: row[name] for name in Sample.__dataclass_fields__}) for row in rows]
    except KeyError as error:
        raise DamagedFileError(f"{path} is damaged: a sample has no {error}. Remove it to go on without.") from None


def _lines(path: Path) -> list[str]:
    """Returns the lines of a file, none if it does not exist; raises UserError if it is damaged."""
    try:
        # A line that a killed process has not completed may end inside a character.
        text = read_regular(path, max_bytes=_MAX_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return []
    # splitlines would also split at other line separators, which a text may contain.
    *lines, last = text.split("\n")
    damaged = [number for number, line in enumerate(lines, 1) if _step(line) == math.inf]
    if damaged or (last and not last.startswith("{")):
        raise DamagedFileError(f"{path} is damaged: line {(damaged or [len(lines) + 1])[0]:,} is not a sample")
    return [*lines, last]


def _step(line: str) -> float:
    """Returns the step of a sample; infinity if the line is empty, or incomplete after a process was killed."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return math.inf
    step = values.get("step") if isinstance(values, dict) else None
    return step if type(step) is int and step >= 0 else math.inf
