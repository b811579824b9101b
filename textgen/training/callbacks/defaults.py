"""The default callbacks of a run."""

import functools
from pathlib import Path

from textgen.config import TrainConfig
from textgen.training.callbacks import Callback
from textgen.training.callbacks.curves import Curves
from textgen.training.callbacks.history_file import HistoryFile
from textgen.training.callbacks.progress_bar import ProgressBar
from textgen.training.callbacks.samples import Samples
from textgen.training.callbacks.summary import Summary
from textgen.training.callbacks.tensorboard import EVENTS_FOLDER, TensorBoard
from textgen.training.callbacks.validation_gap import ValidationGap
from textgen.training.damaged_files import set_folder_aside
from textgen.training.stored_baselines import Validated, read_or_make


def make_callbacks(
    output: Path,
    config: TrainConfig,
    *,
    step: int,
    is_chief: bool,
    validated: Validated,
) -> list[Callback]:
    """Returns the callbacks of a process; every process shows its progress, and only the chief writes files.

    Args:
        output: folder of the run.
        config: training settings.
        step: number of steps taken so far; files keep their entries up to this step.
        is_chief: whether this process writes files.
        validated: the datasets on whose validation split the run is validated.

    Raises:
        OSError: a file can't be read or written.
    """
    if not is_chief:
        return [ProgressBar()]
    curves = output / "curves.png"
    set_folder_aside(curves, step=step)
    return [
        ProgressBar(),
        HistoryFile(),
        Samples(output / "samples.jsonl", config, until_step=step),
        TensorBoard(output / EVENTS_FOLDER, until_step=step),
        Curves(curves, make_baselines=functools.partial(read_or_make, output, validated)),
        Summary(output, config),
        ValidationGap(),
    ]
