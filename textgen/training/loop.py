"""The training loop: data, model, steps, checks, and a folder from which all of it can go on.

Keras's `fit` is not used: it clips gradients before they are reduced over replicas, fails under
MultiWorkerMirroredStrategy, and can't resume inside an epoch.
"""

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras

from textgen.config import TOKENIZER_FILE, VOCABULARY_FILE, TrainConfig
from textgen.console import bar, say
from textgen.dataset import Data, read_manifest, read_pairs, weights_of
from textgen.dataset.manifest import Manifest
from textgen.errors import UserError
from textgen.files import open_folder
from textgen.model import run
from textgen.model.run import RunConfig
from textgen.training.checkpoints import Checkpoints, State
from textgen.training.evaluation import check_data, measure
from textgen.training.optimizers import make_optimizer
from textgen.training.step import NOTHING, Sums, training_steps
from textgen.training.strategy import distribute, make_strategy
from textgen.training.watchers import History, Row, add_sample, draw_curves

Sampler = Callable[[], str]
MakeSampler = Callable[[keras.Model, RunConfig], Sampler]
"""Makes what writes a sample of text with a model as it now is."""

_SECONDS_A_CALL = 0.5
"""How long one graph call should train: long against its overhead, short for a person who watches."""


def train(
    data: Data,
    output: Path,
    config: RunConfig,
    *,
    make_sampler: MakeSampler,
    resume: bool = False,
    max_minutes: float = math.inf,
) -> History:
    """Trains until the epochs are done, the monitored loss has stopped falling, or the time is up.

    Every check writes a row of history, the curves, a sample, and a checkpoint, so that an interrupted run loses
    what came after its last check. The monitored loss is validation's, or training's where nothing is held out.

    Args:
        data: a dataset's folder, on this machine or at a URL, or several with their weights.
        output: the run's folder.
        config: what to train, and how.
        make_sampler: makes the writer of samples.
        resume: go on from the last checkpoint of `output`.
        max_minutes: of training; a check follows.

    Raises:
        UserError: the dataset is not the one that the run was made for.
        OSError: a file of it can't be read.
    """
    manifests = {directory: read_manifest(directory) for directory in weights_of(data)}
    for directory, manifest in manifests.items():
        check_data(directory, manifest, config)
    if not resume:
        _make_folder(next(iter(manifests)), output)
    run.save(config, output)
    return _Run(data, output, config, list(manifests.values()), make_sampler, resume).train(max_minutes)


def config_for(manifest: Manifest, **settings: Any) -> RunConfig:
    """The settings of a new run on a dataset; `settings` are `model` and `train`."""
    return RunConfig(
        text=manifest.text,
        window=manifest.config.window,
        vocabulary_size=manifest.vocabulary_size,
        tokens_sha256=manifest.tokens_sha256,
        boundaries=manifest.config.boundaries,
        **settings,
    )


def _make_folder(data: str | Path, output: Path) -> None:
    if output.exists() and any(output.iterdir()):
        raise UserError(f"{output} is not empty. Add --resume to go on with a run, or name another folder.")
    output.mkdir(parents=True, exist_ok=True)
    # The run has its own copy, so that it can write text where the dataset is not.
    folder = open_folder(data)
    for name in (VOCABULARY_FILE, TOKENIZER_FILE):
        if folder.size(name) is not None:
            (output / name).write_bytes(folder.read(name))


@dataclasses.dataclass
class _Lap:
    """What was done since the last check."""

    started: float
    sums: Sums = NOTHING


class _Run:
    """A run in progress."""

    def __init__(
        self,
        data: Data,
        output: Path,
        config: RunConfig,
        manifests: Sequence[Manifest],
        make_sampler: MakeSampler,
        resume: bool,
    ):
        self._data, self._output, self._config = data, output, config
        self._settings: TrainConfig = config.train
        keras.utils.set_random_seed(self._settings.seed)
        self._strategy = make_strategy()
        with self._strategy.scope():
            model = config.build()
            self._state = State(model, make_optimizer(self._settings, model))
        self._checkpoints = Checkpoints(output, self._state, keep=self._settings.keep_checkpoints)
        if resume:
            self._checkpoints.restore()
            # It may be another than the checkpoint's.
            self._state.optimizer.learning_rate.assign(self._settings.learning_rate)
        self._step = int(self._state.step.numpy())
        self._train_steps = training_steps(
            self._strategy, model, self._state.optimizer, clip_norm=self._settings.clip_norm
        )
        self._measure = measure(self._strategy, model)
        self._sample = make_sampler(model, config)
        self._history = History(output / "history.csv", until_step=self._step)
        pairs = sum(manifest.total.splits["train"].pairs for manifest in manifests)
        self._pairs = pairs
        self._steps_per_epoch = -(-pairs // self._settings.batch_size)
        self._last_step = self._steps_per_epoch * self._settings.epochs
        self._has_validation = all(manifest.total.splits["validation"].pairs for manifest in manifests)

    def train(self, max_minutes: float) -> History:
        if self._is_done():
            say(
                f"{self._output} is done: {self._settings.epochs} epochs, or no better loss for long. "
                "Raise --epochs or --patience."
            )
            return self._history
        say(
            f"training on {self._pairs:,} pairs, {self._steps_per_epoch:,} steps an epoch, "
            f"{self._state.model.count_params():,} weights"
            + f", for {max_minutes:g} minutes at the most"
            * math.isfinite(max_minutes)
        )
        deadline = time.monotonic() + 60 * max_minutes
        batches = iter(distribute(self._strategy, self._stream()))
        lap, steps = _Lap(time.monotonic()), 1
        with bar(self._last_step, "training", " steps", initial=self._step) as progress:
            while not self._is_done():
                steps, seconds = self._advance(batches, min(steps, self._steps_to_check()), lap)
                progress.set_postfix_str(_figures(lap, deadline), refresh=False)
                progress.update(steps)
                # Twice at the most, so that one slow or quick call does not decide the next.
                steps = max(1, min(2 * steps, int(steps * _SECONDS_A_CALL / seconds)))
                time_is_up = time.monotonic() >= deadline
                due = self._step % self._check_every == 0 or self._step == self._last_step
                if due or time_is_up:
                    self._check(lap, due=due)
                    lap = _Lap(time.monotonic())
                if time_is_up:
                    break
        return self._history

    def _stream(self) -> Any:
        return read_pairs(
            self._data,
            batch_size=self._settings.batch_size,
            seed=self._settings.seed,
            epochs=self._settings.epochs,
            start_step=self._step,
        )

    @functools.cached_property
    def _validation(self) -> Any:
        return read_pairs(self._data, split="validation", batch_size=self._settings.batch_size)

    @property
    def _check_every(self) -> int:
        return self._settings.validate_every or self._steps_per_epoch

    def _steps_to_check(self) -> int:
        next_check = (self._step // self._check_every + 1) * self._check_every
        return min(next_check, self._last_step) - self._step

    def _is_done(self) -> bool:
        return self._step >= self._last_step or int(self._state.stale.numpy()) >= self._settings.patience

    def _advance(self, batches: Iterator[Any], steps: int, lap: _Lap) -> tuple[int, float]:
        started = time.monotonic()
        lap.sums += self._train_steps(batches, steps)
        self._step += steps
        self._state.step.assign(self._step)
        return steps, time.monotonic() - started

    def _check(self, lap: _Lap, *, due: bool) -> None:
        """Measures, remembers, shows and saves.

        A check that came early, since the time was up, is no sign of a loss that has stopped falling; and without
        validation its loss is that of a few steps, so it is the best only where there is no other.
        """
        seconds = time.monotonic() - lap.started
        validation = None
        if self._has_validation:
            validation = self._measure(self._validation)
        row = Row(
            step=self._step,
            epoch=self._step / self._steps_per_epoch,
            seconds=seconds,
            pairs_per_second=lap.sums.pairs / seconds,
            loss=lap.sums.mean_loss,
            accuracy=lap.sums.accuracy,
            validation_loss=validation and validation.mean_loss,
            validation_accuracy=validation and validation.accuracy,
        )
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
        self._history.add(row)
        self._checkpoints.save(best=best)
        draw_curves(self._history.rows, self._output / "curves.png")
        self._show(row, best)

    def _show(self, row: Row, best: bool) -> None:
        settings, text = self._settings, self._sample()
        add_sample(
            self._output / "samples.jsonl",
            step=row.step,
            prompt=settings.sample_prompt,
            temperature=settings.sample_temperature,
            seed=settings.seed,
            text=text,
        )
        held_out = ""
        if row.validation_loss is not None:
            held_out = f", validation {row.validation_loss:.3f} ({row.validation_accuracy:.1%} right)"
        say(
            f"epoch {row.epoch:.2f}: loss {row.loss:.3f} ({row.accuracy:.1%} right){held_out}{', best so far' * best}"
        )
        say(f"  sample at temperature {settings.sample_temperature:g}, seed {settings.seed}: {text}")


def _figures(lap: _Lap, deadline: float) -> str:
    now = time.monotonic()
    rate = lap.sums.pairs / (now - lap.started)
    figures = f"loss {lap.sums.mean_loss:.3f}, {lap.sums.accuracy:.1%} right, {rate:,.0f} pairs/s"
    return figures + f", stops in {max(0, deadline - now):.0f} s" * math.isfinite(deadline)
