"""Callbacks of training, one file per callback, and the events that they receive.

`callbacks/defaults.py` lists the callbacks of a run; a new callback needs one file and one line there.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import keras

from textgen.runs import RunConfig
from textgen.training.callbacks.history import History, HistoryRow, resumed_history
from textgen.training.metrics import MetricSums

__all__ = ["Callback", "Check", "History", "MakeSampler", "TrainingPlan", "Progress", "Sampler", "resumed_history"]

Sampler = Callable[[], str]
"""Function that generates a sample of text with the model's current weights."""

MakeSampler = Callable[[keras.Model, RunConfig], Sampler]
"""Function that returns the sampler of a model, given the settings of its run."""


class TrainingPlan(NamedTuple):
    """Size and limits of a training session, at its start.

    Attributes:
        step: number of steps taken so far; above 0 if the run is resumed.
        last_step: number of steps in all epochs.
        steps_per_epoch: number of steps per epoch.
        pairs: number of training pairs.
        weights: number of the model's parameters.
        replicas: number of devices of all processes.
        workers: number of processes.
        max_seconds: time limit of the run over all its sessions, in seconds; infinity if there is none.
        spent: time of the limit that earlier sessions have spent, in seconds.
        planned_checks: least number of checks that are planned within the limit; 0 without a limit.
        compile_seconds: time of compiling the training step in seconds, which does not count against the limit.
        is_done: whether all epochs are trained or the loss has stopped improving.
        has_accuracy: whether accuracy is computed in training; False if the softmax is sampled.
    """

    step: int
    last_step: int
    steps_per_epoch: int
    pairs: int
    weights: int
    replicas: int
    workers: int
    max_seconds: float
    spent: float
    planned_checks: int
    compile_seconds: float
    is_done: bool
    has_accuracy: bool

    @property
    def is_limited(self) -> bool:
        """Whether there is a time limit."""
        return math.isfinite(self.max_seconds)

    @property
    def has_steps(self) -> bool:
        """Whether steps and time are left to train."""
        return not self.is_done and self.spent < self.max_seconds


class Progress(NamedTuple):
    """Training progress after one graph call.

    Attributes:
        step: number of steps taken so far.
        steps: number of steps of this call.
        sums: sums of the metrics since the last check.
        seconds: training time since the last check, in seconds.
        learning_rate: learning rate of the last step.
        spent: time of all sessions that counts against a time limit, in seconds.
    """

    step: int
    steps: int
    sums: MetricSums
    seconds: float
    learning_rate: float
    spent: float


class Check(NamedTuple):
    """Result of a check between two training steps: metrics and a sample of text.

    Attributes:
        row: metrics of the check.
        best: whether the monitored loss is the lowest so far.
        history: rows of all checks so far, including this one.
        sample: text that the model generated.
    """

    row: HistoryRow
    best: bool
    history: History
    sample: str


class Callback:
    """Base class of callbacks; a method that is not overridden does nothing."""

    def on_start(self, plan: TrainingPlan) -> None:
        """Called once, before the first step."""

    def on_progress(self, progress: Progress) -> None:
        """Called after every graph call, about twice per second."""

    def on_check(self, check: Check) -> None:
        """Called after every check, before its checkpoint is written."""

    def on_end(self) -> None:
        """Called once when training ends, including when it ends with an error."""
