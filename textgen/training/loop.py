"""The training loop: graph calls of many steps each, with checks and checkpoints between them.

Keras's `fit` is not used: it clips gradients before they are summed over replicas, fails under
MultiWorkerMirroredStrategy, and can't resume within an epoch.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from textgen.runs import RunConfig
from textgen.training.callbacks import Callback, Check, Progress, TrainingPlan, resumed_history
from textgen.training.checkpoints import Checkpoints, require_resumable, was_saved
from textgen.training.data import TrainingData, ValidationSource
from textgen.training.preemption import Agreement, StopRequest, agree, stop_requests
from textgen.training.step import steps_of
from textgen.training.strategy import Replicas
from textgen.training.time_limit import TimeLimit
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
        data: TrainingData,
        validation: ValidationSource,
        replicas: Replicas,
        *,
        pairs: int,
        resume: bool,
        max_minutes: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        require_lock: Callable[[], None] | None = None,
    ):
        """Makes the model, and restores its last checkpoint if the run is resumed.

        Args:
            output: folder of the run.
            config: settings of the run.
            data: data of the run.
            validation: the datasets to validate on.
            replicas: devices and processes of the training.
            pairs: number of training pairs of all datasets.
            resume: whether to restore the last checkpoint of `output`.
            max_minutes: time limit of the run over all its sessions, in minutes; a last check follows it.
            clock: returns the time in seconds.
            require_lock: raises UserError if another process has taken the lock of `output`; it is called before
                each write. None if there is no lock.

        Raises:
            UserError: there is no checkpoint to resume from, or the vocabulary of the run is another one.
            OSError: a file can't be read, or `history.csv` is damaged and can't be renamed.
        """
        if resume:
            require_resumable(output, config)
        self._config, self._data, self._replicas = config, data, replicas
        self.state = state = make_train_state(config, data, replicas.strategy)
        self._pairs = pairs
        self._checkpoints = Checkpoints(output, state, keep=config.train.keep_checkpoints, require_lock=require_lock)
        if resume and was_saved(output):
            self._checkpoints.restore()
            if replicas.is_chief:
                self._checkpoints.complete_best()
        self._train_steps = steps_of(replicas, state, config.train)
        self._validator = Validator(config, validation, data, replicas, state, pace=self._pace_of_check)
        self.history = resumed_history(output / "history.csv", step=state.step, is_chief=replicas.is_chief)
        # Only the chief's checkpoint can end a cluster in order; before the first step there is nothing to save.
        self._request = StopRequest(can_save=replicas.workers > 1)
        self._limit, self._clock = TimeLimit(max_minutes, spent=state.spent, clock=clock), clock
        self._saved_at = clock()

    @property
    def is_done(self) -> bool:
        """Whether all epochs are trained, the loss has stopped improving, or the time limit is reached."""
        return self._has_converged or self._limit.is_up(self.state.spent)

    @property
    def _has_converged(self) -> bool:
        """Whether all epochs are trained, or the monitored loss has not improved for `patience` checks."""
        if self._is_check_due:
            return False
        return self.state.step >= self._data.last_step or self.state.stale_checks >= self._config.train.patience

    def run(self, callbacks: Sequence[Callback], make_sample: Callable[[], str]) -> None:
        """Trains until the run is done, the time limit is reached or a signal asks to stop.

        Args:
            callbacks: callbacks that receive progress and checks.
            make_sample: function that generates the sample of a check.

        Raises:
            Interrupted: a signal asked to stop; a checkpoint is written.
            UserError: the loss is infinite, NaN or far above that of a uniform guess.
            OSError: a file can't be written.
        """
        try:
            with stop_requests(self._request):
                batches = self._data.training(self.state.step)
                plan = self._plan(compile_seconds=0.0 if self.is_done else self._compile(batches))
                for callback in callbacks:
                    callback.on_start(plan)
                self._run(batches, callbacks, make_sample)
        finally:
            for callback in callbacks:
                callback.on_end()

    def _compile(self, batches: Iterator[Any]) -> float:
        """Compiles the graph of the training by a call of no steps, and returns the seconds that it took."""
        started = self._clock()
        self._train_steps(batches, 0, self.state.sums)
        return self._clock() - started

    def _plan(self, *, compile_seconds: float) -> TrainingPlan:
        return TrainingPlan(
            step=self.state.step,
            last_step=self._data.last_step,
            steps_per_epoch=self._data.steps_per_epoch,
            pairs=self._pairs,
            weights=self.state.model.count_params(),
            replicas=self._replicas.count,
            workers=self._replicas.workers,
            max_seconds=self._limit.seconds,
            spent=self.state.spent,
            planned_checks=self._limit.planned_checks(self.state.spent_at_check),
            compile_seconds=compile_seconds,
            is_done=self._has_converged,
            has_accuracy=not self._config.train.samples_softmax(self._config.vocabulary_size),
        )

    def _run(self, batches: Iterator[Any], callbacks: Sequence[Callback], make_sample: Callable[[], str]) -> None:
        steps, time_used, is_compiled = 1, self._limit.used(self.state.spent), False
        self._limit.start()
        if self._is_check_due:
            # A signal ended the run before the check or within it.
            self._check(callbacks, make_sample, is_regular=True, is_due=False)
        while not self.is_done:
            steps = min(steps, self._steps_to_check())
            self.state.learning_rate.time_used.assign(time_used)
            # The kernels are compiled within the first step, which is most of the compiling.
            with contextlib.nullcontext() if is_compiled else self._limit.uncounted():
                seconds = self._advance(batches, steps)
            is_compiled = True
            agreement = self._agree(steps, seconds)
            for callback in callbacks:
                callback.on_progress(self._progress(steps))
            self._check_or_save(agreement, callbacks, make_sample)
            steps, time_used = agreement.steps, agreement.time_used

    def _agree(self, steps: int, seconds: float) -> Agreement:
        """Returns the decisions of all processes after a call of `steps` steps, and sets the time spent."""
        limit, spent = self._limit, self._limit.spent()
        next_steps = next_call_steps(steps, seconds, target=limit.call_seconds(_SECONDS_PER_CALL))
        time_used = limit.used(spent + next_steps * seconds / steps)
        agreement = agree(self._replicas, steps=next_steps, spent=spent, time_used=time_used, request=self._request)
        self.state.spent = agreement.spent
        return agreement

    @property
    def _is_check_due(self) -> bool:
        """Whether the steps up to a regular check are trained, and the check is not made."""
        step = self.state.step
        return step > self.state.checked_at and self._is_regular_check(step)

    def _is_regular_check(self, step: int) -> bool:
        return step % self._check_every == 0 or step == self._data.last_step

    @property
    def _check_every(self) -> int:
        return self._config.train.validate_every or self._data.steps_per_epoch

    def _steps_to_check(self) -> int:
        next_check = (self.state.step // self._check_every + 1) * self._check_every
        return min(next_check, self._data.last_step) - self.state.step

    def _advance(self, batches: Iterator[Any], steps: int) -> float:
        """Runs training steps and returns their duration in seconds.

        Raises:
            UserError: the loss has exploded.
        """
        state, started, before = self.state, self._clock(), self.state.sums
        state.sums = self._train_steps(batches, steps, state.sums)
        state.step += steps
        self._request.can_save = True
        seconds = self._clock() - started
        state.seconds += seconds
        self._validator.require_converging(before)
        return seconds

    def _progress(self, steps: int) -> Progress:
        state = self.state
        return Progress(state.step, steps, state.sums, state.seconds, state.last_rate, state.spent)

    def _check_or_save(
        self, agreement: Agreement, callbacks: Sequence[Callback], make_sample: Callable[[], str]
    ) -> None:
        self._stop_if_asked(agreement)
        state, limit = self.state, self._limit
        is_due = limit.check_is_due(state.spent, checked_at=state.spent_at_check)
        is_regular = self._is_regular_check(state.step)
        if is_regular or is_due or limit.is_up(state.spent):
            self._check(callbacks, make_sample, is_regular=is_regular, is_due=is_due)
        elif self._clock() - self._saved_at >= 60 * self._config.train.checkpoint_minutes:
            self._save(best=False)

    def _stop_if_asked(self, agreement: Agreement) -> None:
        """Saves a checkpoint and raises Interrupted if a signal was received; a check that is due waits."""
        if agreement.signal:
            self._save(best=False)
            # No process says that a checkpoint is saved before it is.
            self._replicas.barrier()
            agreement.raise_if_interrupted(self.state.step)

    def _pace_of_check(self, steps: int, seconds: float) -> int:
        """Returns the number of steps of the next graph call of a check, or ends it if a signal was received."""
        agreement = agree(self._replicas, steps=next_call_steps(steps, seconds), request=self._request)
        self._stop_if_asked(agreement)
        return agreement.steps

    def _check(
        self, callbacks: Sequence[Callback], make_sample: Callable[[], str], *, is_regular: bool, is_due: bool
    ) -> None:
        row = self._validator.check()
        is_early = self._limit.is_up(self.state.spent) and not is_regular
        best = self.state.record_check(
            row.monitored, counts=not is_early, is_comparable=is_due or self._validator.has_validation
        )
        self.history.rows.append(row)
        if self._replicas.is_chief:
            check = Check(row, best, self.history, make_sample())
            self._checkpoints.require_lock()
            for callback in callbacks:
                callback.on_check(check)
        self._save(best=best)

    def _save(self, *, best: bool) -> None:
        self._saved_at = self._clock()
        if self._replicas.is_chief:
            self._checkpoints.save(best=best)


def next_call_steps(steps: int, seconds: float, *, target: float = _SECONDS_PER_CALL) -> int:
    """Returns the number of steps of the next graph call, chosen to take about `target` seconds.

    The number at most doubles from call to call, so that a single fast call has limited effect.

    Args:
        steps: number of steps of the last call.
        seconds: duration of the last call in seconds.
        target: duration of the next call in seconds.
    """
    return max(1, min(2 * steps, int(steps * target / seconds)))
