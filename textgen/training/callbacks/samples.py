"""Callback that writes `samples.jsonl`, the text that the model generates at each check."""

import dataclasses
import json
from pathlib import Path

from textgen.config import TrainConfig
from textgen.files import write_atomically
from textgen.system_errors import naming
from textgen.training.callbacks import Callback, Check


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
        kept = [line for line in _lines(path) if _step(line) <= until_step]
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


def _lines(path: Path) -> list[str]:
    # splitlines would also split at other line separators, which a text may contain.
    return path.read_text(encoding="utf-8").split("\n") if path.is_file() else []


def _step(line: str) -> float:
    """Returns the step of a sample; infinity if the line is empty, or incomplete after a process was killed."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
