"""Callback that shows a progress bar of training."""

from typing import Any

from textgen.console import bar
from textgen.training.callbacks import Callback, Progress, TrainingPlan

_TIME_FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f} of {total:.0f} s{postfix}"
"""The bar of a run with a time limit: the time spent is its only clock."""


class ProgressBar(Callback):
    """Shows steps, or the time spent if there is a time limit, and the training metrics since the last check."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._plan: TrainingPlan | None = None

    def on_start(self, plan: TrainingPlan) -> None:
        """Opens the bar at the current step or time, unless the run is done."""
        if not plan.has_steps:
            return
        self._plan = plan
        if plan.is_limited:
            self._bar = bar(plan.max_seconds, "training", "s", initial=plan.spent, bar_format=_TIME_FORMAT)
        else:
            self._bar = bar(plan.last_step, "training", "step", initial=plan.step)

    def on_progress(self, progress: Progress) -> None:
        """Advances the bar and updates its metrics."""
        if self._plan is not None:
            self._bar.set_postfix_str(_figures(progress, self._plan), refresh=False)
            self._bar.update(_position(progress, self._plan) - self._bar.n)

    def on_end(self) -> None:
        """Closes the bar."""
        if self._bar is not None:
            self._bar.close()


def _position(progress: Progress, plan: TrainingPlan) -> float:
    """Returns the position of the bar: the number of steps, or seconds of the time limit."""
    return min(progress.spent, plan.max_seconds) if plan.is_limited else progress.step


def _figures(progress: Progress, plan: TrainingPlan) -> str:
    """Returns the metrics since the last check and the speed as text; with a time limit, also the step."""
    rate = progress.sums.pairs / progress.seconds
    figures = f"step {progress.step:,}, " * plan.is_limited + f"loss {progress.sums.mean_loss:.3f}"
    if plan.has_accuracy:
        figures += f", accuracy {progress.sums.accuracy:.1%}"
    return figures + f", {rate:,.0f} pairs/s"
