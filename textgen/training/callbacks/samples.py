"""`samples.jsonl`: what the model wrote at each check."""

import dataclasses
import json
from pathlib import Path

from textgen.config import TrainConfig
from textgen.files import write_atomically
from textgen.training.callbacks import Callback, Check


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """A text, and what it was written with."""

    step: int
    prompt: str
    temperature: float
    seed: int
    text: str


class Samples(Callback):
    """The samples of a run, on disk as they come, a JSON object a line."""

    def __init__(self, path: Path, config: TrainConfig, *, until_step: int = 0):
        """Keeps the samples that `path` holds up to a step; later ones belong to work that is done again."""
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
    # Not by splitlines, since a text may hold other characters that end a line.
    return path.read_text(encoding="utf-8").split("\n") if path.is_file() else []


def _step(line: str) -> float:
    """The step of a sample; infinite where a killed process left half a line, or an empty one."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
