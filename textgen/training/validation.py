"""Validation of a model during training: one row of metrics per check."""

from textgen.runs import RunConfig
from textgen.training.callbacks.history import HistoryRow
from textgen.training.data import HeldOut, TrainingData, ValidationSource
from textgen.training.divergence import require_converging, require_sound
from textgen.training.evaluator import Pace, make_evaluator
from textgen.training.metrics import MetricSums, bits_per_character
from textgen.training.strategy import Replicas
from textgen.training.train_state import TrainState


class Validator:
    """Evaluates a model on the validation split, or on datasets of their own.

    Attributes:
        has_validation: whether there is text to validate on.
    """

    def __init__(
        self,
        config: RunConfig,
        source: ValidationSource,
        data: TrainingData,
        replicas: Replicas,
        state: TrainState,
        *,
        pace: Pace,
    ):
        """Prepares the evaluation of a run's model.

        Args:
            config: settings of the run.
            source: the datasets to validate on.
            data: data of the run, which gives the batches.
            replicas: devices and processes of the training.
            state: state of the run, with its model.
            pace: chooses the number of steps of each graph call; see `make_evaluator`.
        """
        self._config, self._source, self._data, self._state = config, source, data, state
        self._evaluate = make_evaluator(replicas, state.model, pace=pace)
        self._has_accuracy = not config.train.samples_softmax(config.vocabulary_size)
        self.has_validation = source.has_targets
        self._pairs: HeldOut | None = None

    def check(self) -> HistoryRow:
        """Returns the metrics since the last check and those of the validation split.

        Raises:
            UserError: the monitored loss is infinite, NaN or far above that of a uniform guess.
        """
        held_out = self._evaluate(self._held_out()) if self.has_validation else None
        row = self._row(held_out)
        require_sound(self._config, row.monitored, step=row.step)
        return row

    def require_converging(self, before: MetricSums) -> None:
        """Checks the steps of the last graph call.

        Args:
            before: sums of the metrics before the call.

        Raises:
            UserError: the training loss is infinite, NaN or far above that of a uniform guess.
        """
        call = MetricSums(*(now - then for now, then in zip(self._state.sums, before, strict=True)))
        require_converging(self._config, call, step=self._state.step)

    def _held_out(self) -> HeldOut:
        """Returns the batches of the validation split; the pipeline of pairs is built once and iterated anew."""
        if self._config.model.causal:
            return self._data.validation(self._source)
        self._pairs = self._pairs or self._data.validation(self._source)
        return self._pairs

    def _row(self, held_out: MetricSums | None) -> HistoryRow:
        state = self._state
        sums, seconds = state.sums, max(state.seconds, 1e-9)
        return HistoryRow(
            step=state.step,
            epoch=state.step / self._data.steps_per_epoch,
            seconds=state.seconds,
            pairs_per_second=sums.pairs / seconds,
            waited=sums.waited / seconds,
            learning_rate=state.last_rate,
            gradient_norm=sums.norms / (state.step - state.checked_at),
            loss=sums.mean_loss,
            accuracy=sums.accuracy if self._has_accuracy else None,
            validation_loss=held_out and held_out.mean_loss,
            validation_accuracy=held_out and held_out.accuracy,
            validation_bits_per_character=held_out and self._bits_per_character(held_out),
        )

    def _bits_per_character(self, held_out: MetricSums) -> float | None:
        # The validation batches of a mixture may contain only a subset of each dataset.
        if len(self._source.manifests) > 1:
            return None
        return bits_per_character(held_out.mean_loss, self._source.manifests[0], self._source.split)
