"""Callback that shows a progress bar of training."""

import math
import time
from typing import Any

from textgen.console import bar
from textgen.training.callbacks import Callback, Plan, Progress


class ProgressBar(Callback):
    """Shows steps, training metrics since the last check, and the remaining time if there is a time limit."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._plan: Plan | None = None

    def on_start(self, plan: Plan) -> None:
        """Opens the bar at the current step, unless the run is done."""
        if plan.is_done:
            return
        self._plan = plan
        self._bar = bar(plan.last_step, "training", "step", initial=plan.step)

    def on_progress(self, progress: Progress) -> None:
        """Advances the bar and updates its metrics."""
        if self._plan is not None:
            self._bar.set_postfix_str(_figures(progress, self._plan), refresh=False)
            self._bar.update(progress.steps)

    def on_end(self) -> None:
        """Closes the bar."""
        if self._bar is not None:
            self._bar.close()


def _figures(progress: Progress, plan: Plan) -> str:
    """Returns the metrics since the last check, the speed and the remaining time as text."""
    rate = progress.sums.pairs / progress.seconds
    figures = f"loss {progress.sums.mean_loss:.3f}"
    if plan.has_accuracy:
        figures += f", accuracy {progress.sums.accuracy:.1%}"
    figures += f", {rate:,.0f} pairs/s"
    return figures + f", stops in {max(0, plan.deadline - time.monotonic()):.0f} s" * math.isfinite(plan.deadline)
