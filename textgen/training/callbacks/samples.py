"""`samples.jsonl`: the text that the model generates at each check."""

import dataclasses
import json
from pathlib import Path

from textgen.config import TrainConfig
from textgen.files import write_atomically
from textgen.training.callbacks import Callback, Check


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """A generated text with its settings; `step` is the number of training steps before it."""

    step: int
    prompt: str
    temperature: float
    seed: int
    text: str


class Samples(Callback):
    """Appends each sample to a file, one JSON object per line."""

    def __init__(self, path: Path, config: TrainConfig, *, until_step: int = 0):
        """Keeps the samples of `path` up to a step; a resumed run repeats the later ones."""
        self._path, self._config = path, config
        kept = [line for line in _lines(path) if _step(line) <= until_step]
        write_atomically(path, "".join(f"{line}\n" for line in kept).encode())

    def on_check(self, check: Check) -> None:
        """Appends the sample."""
        config = self._config
        sample = Sample(
            step=check.row.step,
            prompt=config.sample_prompt,
            temperature=config.sample_temperature,
            seed=config.seed,
            text=check.sample,
        )
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(sample), ensure_ascii=False) + "\n")


def _lines(path: Path) -> list[str]:
    # splitlines would also split at other line ends, which a text may contain.
    return path.read_text(encoding="utf-8").split("\n") if path.is_file() else []


def _step(line: str) -> float:
    """Returns the step of a sample; infinity for an empty line or one that a killed process left incomplete."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
