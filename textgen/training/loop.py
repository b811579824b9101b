"""The training loop: graph calls of many steps each, with checks and checkpoints between them.

Keras's `fit` is not used: it clips gradients before they are summed over replicas, fails under
MultiWorkerMirroredStrategy, and can't resume within an epoch.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from textgen.dataset.storage.manifest import Manifest
from textgen.runs import RunConfig
from textgen.training.callbacks import Callback, Check, History, Plan, Progress
from textgen.training.checkpoints import Checkpoints
from textgen.training.data import TrainingData, ValidationSource
from textgen.training.preemption import Agreement, StopRequest, agree, stop_requests
from textgen.training.step import steps_of
from textgen.training.strategy import Replicas
from textgen.training.train_state import make_train_state
from textgen.training.validation import Validator

_SECONDS_PER_CALL = 0.5
"""Target duration of a graph call: long relative to its overhead, short enough for progress and stop requests."""


class TrainingLoop:
    """Trains the model of a run.

    Attributes:
        state: model, optimizer and counters.
        history: metrics of all checks so far.
    """

    def __init__(
        self,
        output: Path,
        config: RunConfig,
        manifests: Sequence[Manifest],
        data: TrainingData,
        validation: ValidationSource,
        replicas: Replicas,
        *,
        resume: bool,
    ):
        """Makes the model, and restores its last checkpoint if the run is resumed.

        Args:
            output: folder of the run.
            config: settings of the run.
            manifests: manifests of all datasets that are trained on.
            data: data of the run.
            validation: the datasets to validate on.
            replicas: devices and processes of the training.
            resume: whether to restore the last checkpoint of `output`.

        Raises:
            UserError: there is no checkpoint to resume from.
            OSError: `history.csv` can't be read.
        """
        self._config, self._data, self._replicas = config, data, replicas
        self.state = state = make_train_state(config, data, replicas.strategy)
        self._pairs = sum(manifest.total.splits["train"].pairs for manifest in manifests)
        self._checkpoints = Checkpoints(output, state, keep=config.train.keep_checkpoints)
        if resume:
            self._checkpoints.restore()
        self._train_steps = steps_of(replicas, state, config.train)
        self._validator = Validator(config, validation, data, replicas, state)
        self.history = History(output / "history.csv", until_step=state.step)
        self._saved_at = time.monotonic()

    @property
    def is_done(self) -> bool:
        """Whether all epochs are trained, or the monitored loss has not improved for `patience` checks."""
        return self.state.step >= self._data.last_step or self.state.stale_checks >= self._config.train.patience

    def run(
        self, callbacks: Sequence[Callback], make_sample: Callable[[], str], *, max_minutes: float = math.inf
    ) -> None:
        """Trains until the run is done, the time limit is reached or a signal asks to stop.

        Args:
            callbacks: callbacks that receive progress and checks.
            make_sample: function that generates the sample of a check.
            max_minutes: time limit in minutes; a last check follows it.

        Raises:
            Interrupted: a signal asked to stop; a checkpoint is written.
            UserError: the monitored loss is infinite or NaN.
            OSError: a file can't be written.
        """
        plan = self._plan(max_minutes)
        try:
            with stop_requests() as request:
                for callback in callbacks:
                    callback.on_start(plan)
                self._run(plan, request, callbacks, make_sample)
        finally:
            for callback in callbacks:
                callback.on_end()

    def _plan(self, max_minutes: float) -> Plan:
        return Plan(
            step=self.state.step,
            last_step=self._data.last_step,
            steps_per_epoch=self._data.steps_per_epoch,
            pairs=self._pairs,
            weights=self.state.model.count_params(),
            replicas=self._replicas.count,
            workers=self._replicas.workers,
            max_minutes=max_minutes,
            deadline=time.monotonic() + 60 * max_minutes,
            is_done=self.is_done,
            has_accuracy=not self._config.train.samples_softmax(self._config.vocabulary_size),
        )

    def _run(
        self, plan: Plan, request: StopRequest, callbacks: Sequence[Callback], make_sample: Callable[[], str]
    ) -> None:
        batches, steps_per_call = self._data.training(self.state.step), 1
        while not self.is_done:
            steps = min(steps_per_call, self._steps_to_check())
            seconds = self._advance(batches, steps, callbacks)
            agreement = agree(
                self._replicas,
                steps=next_call_steps(steps, seconds),
                time_is_up=time.monotonic() >= plan.deadline,
                request=request,
            )
            steps_per_call = agreement.steps
            self._check_or_save(agreement, callbacks, make_sample)
            if agreement.time_is_up:
                break

    @property
    def _check_every(self) -> int:
        return self._config.train.validate_every or self._data.steps_per_epoch

    def _steps_to_check(self) -> int:
        next_check = (self.state.step // self._check_every + 1) * self._check_every
        return min(next_check, self._data.last_step) - self.state.step

    def _advance(self, batches: Iterator[Any], steps: int, callbacks: Sequence[Callback]) -> float:
        """Runs training steps and returns their duration in seconds."""
        state, started = self.state, time.monotonic()
        state.sums = self._train_steps(batches, steps, state.sums)
        state.step += steps
        seconds = time.monotonic() - started
        state.seconds += seconds
        progress = Progress(state.step, steps, state.sums, state.seconds, state.last_rate)
        for callback in callbacks:
            callback.on_progress(progress)
        return seconds

    def _check_or_save(
        self, agreement: Agreement, callbacks: Sequence[Callback], make_sample: Callable[[], str]
    ) -> None:
        step = self.state.step
        is_regular = step % self._check_every == 0 or step == self._data.last_step
        if is_regular or agreement.time_is_up:
            self._check(callbacks, make_sample, is_regular=is_regular)
        elif agreement.signal or time.monotonic() - self._saved_at >= 60 * self._config.train.checkpoint_minutes:
            self._save(best=False)
        agreement.raise_if_interrupted(step)

    def _check(self, callbacks: Sequence[Callback], make_sample: Callable[[], str], *, is_regular: bool) -> None:
        row = self._validator.check()
        has_validation = self._validator.has_validation
        best = self.state.record_check(row.monitored, is_regular=is_regular, has_validation=has_validation)
        self.history.rows.append(row)
        if self._replicas.is_chief:
            check = Check(row, best, self.history, make_sample())
            for callback in callbacks:
                callback.on_check(check)
        self._save(best=best)

    def _save(self, *, best: bool) -> None:
        self._saved_at = time.monotonic()
        if self._replicas.is_chief:
            self._checkpoints.save(best=best)


def next_call_steps(steps: int, seconds: float) -> int:
    """Returns the number of steps of the next graph call, chosen to take about half a second.

    The number at most doubles from call to call, so that a single fast call has limited effect.

    Args:
        steps: number of steps of the last call.
        seconds: duration of the last call in seconds.
    """
    return max(1, min(2 * steps, int(steps * _SECONDS_PER_CALL / seconds)))
