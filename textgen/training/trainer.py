"""The training loop: data, model, steps, checks, and a folder from which all of it can go on.

Keras's `fit` is not used: it clips gradients before they are reduced over replicas, fails under
MultiWorkerMirroredStrategy, and can't resume inside an epoch.
"""

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras

from textgen import runs
from textgen.block_cache import BlockCache
from textgen.console import bar, say
from textgen.dataset import Data, read_manifest, weights_of
from textgen.dataset.storage.manifest import Manifest
from textgen.errors import Interrupted, UserError
from textgen.model.cpu_parallelism import share_out
from textgen.runs import RunConfig
from textgen.training.callbacks.history import History, HistoryRow
from textgen.training.checkpoints import Checkpoints, TrainState
from textgen.training.data import TrainingData
from textgen.training.evaluator import make_evaluator
from textgen.training.learning_rates import LearningRate
from textgen.training.losses import training_loss
from textgen.training.metrics import ZERO_SUMS, MetricSums, bits_per_character
from textgen.training.optimizers import make_optimizer
from textgen.training.pace import Pace
from textgen.training.preemption import SIGNALS, Interruption, interruption
from textgen.training.report import MakeSampler, Report
from textgen.training.setup import check_data, make_folder
from textgen.training.step import training_steps
from textgen.training.strategy import Replicas, make_replicas


def train(
    data: Data,
    output: Path,
    config: RunConfig,
    *,
    make_sampler: MakeSampler,
    resume: bool = False,
    max_minutes: float = math.inf,
    strategy: str = "auto",
    cache: BlockCache | None = None,
) -> History:
    """Trains until the epochs are done, the monitored loss has stopped falling, or the time is up.

    Every check writes a row of history, the curves, a sample, and a checkpoint. The monitored loss is validation's,
    or training's where nothing is held out. Of several processes all call this with the same arguments and a folder
    that all see; the chief writes.

    Args:
        data: a dataset's folder, on this machine or at a URL, or several with their weights.
        output: the run's folder.
        config: what to train, and how.
        make_sampler: makes the writer of samples.
        resume: go on from the last checkpoint of `output`.
        max_minutes: of training; a check follows.
        strategy: which devices train, see `make_replicas`.
        cache: where blocks of remote shards are kept.

    Raises:
        UserError: the dataset is not the one that the run was made for.
        Interrupted: a signal asked to stop; a checkpoint is written.
        ConnectionError: another process was lost.
        OSError: a file of it can't be read.
    """
    # Both before anything else: TensorFlow makes its threads once, and wants several processes told of each other.
    share_out()
    replicas = make_replicas(strategy)
    manifests = {directory: read_manifest(directory) for directory in weights_of(data)}
    for directory, manifest in manifests.items():
        check_data(directory, manifest, config)
    if not resume and output.exists() and any(output.iterdir()):
        raise UserError(f"{output} is not empty. Add --resume to go on with a run, or name another folder.")
    feed = TrainingData(data, config, replicas, cache=cache)
    with replicas.lost_worker_errors():
        replicas.barrier()
        if replicas.is_chief:
            if not resume:
                make_folder(output, data=next(iter(manifests)))
            runs.save(config, output)
        replicas.barrier()
        return _Run(output, config, list(manifests.values()), feed, replicas, make_sampler, resume).train(max_minutes)


class _Going(NamedTuple):
    """What all processes agree on after a graph call."""

    time_is_up: bool
    signal: int | None


class _Run:
    """A run in progress."""

    def __init__(
        self,
        output: Path,
        config: RunConfig,
        manifests: Sequence[Manifest],
        feed: TrainingData,
        replicas: Replicas,
        make_sampler: MakeSampler,
        resume: bool,
    ):
        self._output, self._settings, self._manifests = output, config.train, manifests
        self._feed, self._replicas = feed, replicas
        keras.utils.set_random_seed(self._settings.seed)
        with replicas.strategy.scope():
            model = config.build()
            self._learning_rate = LearningRate(self._settings, last_step=feed.last_step)
            optimizer = make_optimizer(self._settings, model, self._learning_rate)
        self._state = TrainState(model, optimizer, self._learning_rate, feed.make_states(model))
        self._checkpoints = Checkpoints(output, self._state, keep=self._settings.keep_checkpoints)
        if resume:
            self._checkpoints.restore()
        self._step = int(self._state.step.numpy())
        self._sums, self._seconds = self._state.lap()
        self._checked_at = int(self._state.checked_at.numpy())
        cost = training_loss(model, self._settings, optimizer, self._state.carried)
        self._train_steps = training_steps(
            replicas.strategy, optimizer, model.trainable_variables, cost, self._settings
        )
        self._score = make_evaluator(replicas, model)
        self._history = History(output / "history.csv", until_step=self._step)
        self._report = None
        if replicas.is_chief:
            sampler = make_sampler(model, config)
            self._report = Report(output, config, sampler, self._history, step=self._step)
        self._has_validation = all(manifest.total.splits["validation"].pairs for manifest in manifests)
        self._sampled = self._settings.samples_softmax(config.vocabulary_size)
        self._saved_at = time.monotonic()

    def train(self, max_minutes: float) -> History:
        if self._is_done():
            self._say(
                f"{self._output} is done: {self._settings.epochs} epochs, or no better loss for long. "
                "Raise --epochs or --patience."
            )
            return self._history
        self._say(self._plan(max_minutes))
        deadline = time.monotonic() + 60 * max_minutes
        batches, pace = self._feed.training(self._step), Pace()
        with interruption() as asked, bar(self._feed.last_step, "training", " steps", initial=self._step) as progress:
            while not self._is_done():
                steps = min(pace.steps, self._steps_to_check())
                pace.took(steps, self._advance(batches, steps))
                progress.set_postfix_str(self._figures(deadline), refresh=False)
                progress.update(steps)
                going = self._agree(pace, asked, deadline)
                self._check_or_save(going)
                if going.time_is_up:
                    break
        return self._history

    def _plan(self, max_minutes: float) -> str:
        pairs = sum(manifest.total.splits["train"].pairs for manifest in self._manifests)
        plan = (
            f"training on {pairs:,} pairs, {self._feed.steps_per_epoch:,} steps an epoch, "
            f"{self._state.model.count_params():,} weights"
        )
        if self._replicas.count > 1:
            plan += f", {self._replicas.count} devices in {self._replicas.workers} processes"
        return plan + f", for {max_minutes:g} minutes at the most" * math.isfinite(max_minutes)

    @property
    def _check_every(self) -> int:
        return self._settings.validate_every or self._feed.steps_per_epoch

    def _steps_to_check(self) -> int:
        next_check = (self._step // self._check_every + 1) * self._check_every
        return min(next_check, self._feed.last_step) - self._step

    def _is_done(self) -> bool:
        return self._step >= self._feed.last_step or int(self._state.stale.numpy()) >= self._settings.patience

    def _advance(self, batches: Iterator[Any], steps: int) -> float:
        """Trains; the seconds that it took."""
        started = time.monotonic()
        self._sums = self._train_steps(batches, steps, self._sums)
        self._step += steps
        seconds = time.monotonic() - started
        self._seconds += seconds
        if self._report:
            self._report.progressed(self._step, self._sums, self._rate())
        return seconds

    def _agree(self, pace: Pace, asked: Interruption, deadline: float) -> _Going:
        """The chief tells how many steps to take and when the time is up; anyone may have been asked to stop."""
        chief = self._replicas.is_chief
        by_signal = [asked.signal == number for number in SIGNALS]
        steps, time_is_up, *asked_by = self._replicas.sum_over_workers(
            [chief * pace.steps, chief and time.monotonic() >= deadline, *by_signal]
        )
        pace.steps = int(steps)
        given = [number for number, count in zip(SIGNALS, asked_by, strict=True) if count]
        return _Going(time_is_up=bool(time_is_up), signal=given[0] if given else None)

    def _check_or_save(self, going: _Going) -> None:
        due = self._step % self._check_every == 0 or self._step == self._feed.last_step
        if due or going.time_is_up:
            self._check(due=due)
        elif going.signal or time.monotonic() - self._saved_at >= 60 * self._settings.checkpoint_minutes:
            self._save(best=False)
        if going.signal:
            raise Interrupted(
                f"stopped after step {self._step:,}; all that was done is saved. Give the same command with --resume "
                "to go on.",
                signal=going.signal,
            )

    def _check(self, *, due: bool) -> None:
        """Measures, remembers, saves and shows.

        A check that came early, since the time was up, is no sign of a loss that has stopped falling; and without
        validation its loss is that of a few steps, so it is the best only where there is no other.
        """
        row = self._row()
        if not math.isfinite(row.monitored):
            raise UserError(
                f"the loss is {row.monitored} at step {self._step}; it must stay finite. "
                "Start again, or go back to the last checkpoint with --resume, with a lower --learning-rate "
                "or --clip-norm 1."
            )
        best_loss = float(self._state.best_loss.numpy())
        best = row.monitored < best_loss and (due or self._has_validation or math.isinf(best_loss))
        if best:
            self._state.best_loss.assign(row.monitored)
        self._state.stale.assign(0 if best else self._state.stale + int(due))
        if due:
            self._learning_rate.after_check(int(self._state.stale.numpy()))
        self._history.rows.append(row)
        self._sums, self._seconds, self._checked_at = ZERO_SUMS, 0.0, self._step
        if self._report:
            self._report.checked(row, best=best)
        self._save(best=best)

    def _row(self) -> HistoryRow:
        held_out = self._score(self._feed.held_out("validation")) if self._has_validation else None
        seconds = max(self._seconds, 1e-9)
        return HistoryRow(
            step=self._step,
            epoch=self._step / self._feed.steps_per_epoch,
            seconds=self._seconds,
            pairs_per_second=self._sums.pairs / seconds,
            waited=self._sums.waited / seconds,
            learning_rate=self._rate(),
            gradient_norm=self._sums.norms / (self._step - self._checked_at),
            loss=self._sums.mean_loss,
            accuracy=None if self._sampled else self._sums.accuracy,
            validation_loss=held_out and held_out.mean_loss,
            validation_accuracy=held_out and held_out.accuracy,
            validation_bits_per_character=held_out and self._bits(held_out),
        )

    def _bits(self, held_out: MetricSums) -> float | None:
        # Of a mixture, validation may serve a part of each dataset.
        if len(self._manifests) > 1:
            return None
        return bits_per_character(held_out.mean_loss, self._manifests[0], "validation")

    def _rate(self) -> float:
        """The learning rate of the step before."""
        return float(self._learning_rate(self._step - 1).numpy())

    def _save(self, *, best: bool) -> None:
        state = self._state
        state.step.assign(self._step)
        state.checked_at.assign(self._checked_at)
        state.sums.assign(self._sums)
        state.seconds.assign(self._seconds)
        self._saved_at = time.monotonic()
        if self._replicas.is_chief:
            self._checkpoints.save(best=best)

    def _say(self, message: str) -> None:
        if self._replicas.is_chief:
            say(message)

    def _figures(self, deadline: float) -> str:
        rate = self._sums.pairs / self._seconds
        figures = f"loss {self._sums.mean_loss:.3f}"
        if not self._sampled:
            figures += f", {self._sums.accuracy:.1%} right"
        figures += f", {rate:,.0f} pairs/s"
        return figures + f", stops in {max(0, deadline - time.monotonic()):.0f} s" * math.isfinite(deadline)
