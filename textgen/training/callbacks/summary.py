"""Callback that prints the plan of a run, and its metrics and a sample at each check."""

from pathlib import Path

from textgen.config import TrainConfig
from textgen.console import printable, say
from textgen.training.callbacks import Callback, Check, Progress, TrainingPlan
from textgen.training.callbacks.history import HistoryRow
from textgen.training.metrics import perplexity


class Summary(Callback):
    """Prints a summary of training to the terminal."""

    def __init__(self, output: Path, config: TrainConfig):
        """Sets the folder and the training settings of the run."""
        self._output, self._config = output, config
        self._plan: TrainingPlan | None = None
        self._progress: Progress | None = None
        self._checks = 0

    def on_start(self, plan: TrainingPlan) -> None:
        """Prints the sizes of the data and of the model, or that the run is done."""
        self._plan = plan
        if plan.is_done:
            say(
                f"{printable(str(self._output))} is done: all epochs ({self._config.epochs}) are trained, or the "
                "loss has stopped improving. Raise epochs or patience."
            )
        elif not plan.has_steps:
            say(
                f"{self._output} is done: its training has taken {_minutes(plan.spent)}, and --max-minutes is "
                f"{plan.max_seconds / 60:g}, which counts all sessions of a run. Raise --max-minutes, or max_minutes "
                "in Python, to train on."
            )
        else:
            say(_plan(plan))

    def on_progress(self, progress: Progress) -> None:
        """Keeps the progress."""
        self._progress = progress

    def on_end(self) -> None:
        """Prints that the time limit has ended training, if it has."""
        plan, progress = self._plan, self._progress
        if plan and progress and progress.spent >= plan.max_seconds:
            say(_end_of_time(plan, progress.step, self._checks))

    def on_check(self, check: Check) -> None:
        """Prints the metrics and the sample."""
        self._checks += 1
        row, config = check.row, self._config
        say(f"epoch {row.epoch:.2f}: {_metrics(row)}{', best so far' * check.best}; {row.bottleneck}")
        say(f"  sample at temperature {config.sample_temperature:g}, seed {config.seed}: {check.sample}")


def _plan(plan: TrainingPlan) -> str:
    text = f"training on {plan.pairs:,} pairs, {plan.steps_per_epoch:,} steps per epoch, {plan.weights:,} weights"
    if plan.replicas > 1:
        text += f", {plan.replicas} devices in {plan.workers} processes"
    if plan.is_limited:
        text += f", for at most {plan.max_seconds / 60:g} minutes" + f", {_minutes(plan.spent)} of them spent" * bool(
            plan.spent
        )
        text += f"; compiling took {plan.compile_seconds:.1f} s, which is not counted"
    return text


def _end_of_time(plan: TrainingPlan, step: int, checks: int) -> str:
    """Returns a message that the limit is reached, and whether it was too short for the planned checks."""
    text = f"--max-minutes {plan.max_seconds / 60:g} is over after step {step:,}"
    if checks < plan.planned_checks:
        text += f", with {checks} of the {plan.planned_checks} planned validations: it is too short for this training"
        text += ". Raise it"
    return text + "."


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes"


def _metrics(row: HistoryRow) -> str:
    text = f"loss {row.loss:.3f}{_accuracy(row.accuracy)}"
    if row.validation_loss is not None:
        text += f", validation loss {row.validation_loss:.3f}{_accuracy(row.validation_accuracy)}"
        text += f", perplexity {perplexity(row.validation_loss):.1f}"
    if row.validation_bits_per_character is not None:
        text += f", {row.validation_bits_per_character:.3f} bits per character"
    return text


def _accuracy(accuracy: float | None) -> str:
    return "" if accuracy is None else f" (accuracy {accuracy:.1%})"
