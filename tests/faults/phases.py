"""Runs a command that makes a file when it enters a phase of training.

python -m tests.faults.phases PHASE FILE WORD …
"""

import functools
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PHASES = {
    "data opening": ("textgen.training.trainer", "read_manifests"),
    "first compile": ("textgen.training.loop", "TrainingLoop._compile"),
    "step": ("textgen.training.loop", "TrainingLoop._advance"),
    "validation": ("textgen.training.validation", "Validator.check"),
    "sampling": ("textgen.training.train_state", "TrainState.record_check"),
    "checkpoint": ("textgen.training.checkpoints", "Checkpoints.save"),
    "shutdown": ("textgen.training.callbacks.progress_bar", "ProgressBar.on_end"),
}
"""Module and name of a function that is called when training enters a phase; a check is recorded before sampling."""


def main() -> None:
    phase, file, *words = sys.argv[1:]
    module, name = PHASES[phase]
    *owners, attribute = name.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, attribute, _marking(Path(file), getattr(owner, attribute)))
    sys.argv = ["textgen", *words]
    importlib.import_module("textgen.cli").main()


def _marking(file: Path, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def marking(*arguments: Any, **settings: Any) -> Any:
        file.touch()
        return function(*arguments, **settings)

    return marking


if __name__ == "__main__":
    main()
