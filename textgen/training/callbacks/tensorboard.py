"""Callback that writes event files for TensorBoard; show them with `tensorboard --logdir RUN`."""

import contextlib
import errno
import time
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from textgen.files import write_atomically
from textgen.system_errors import tensorflow_file_errors
from textgen.training.callbacks import Callback, Check, Progress
from textgen.training.metrics import perplexity

_PROBE_BYTES = 1 << 16
"""Size of a file that is written to learn why events can't be; TensorFlow does not say why."""


class TensorBoard(Callback):
    """Writes the scalars and samples of a run."""

    def __init__(self, directory: Path, *, until_step: int = 0, seconds_between: float = 10.0):
        """Opens a new event file in the folder, and removes events after a step from existing files.

        Args:
            directory: folder of the event files.
            until_step: last step whose events are kept.
            seconds_between: minimum time between two points that `on_progress` writes, in seconds.
        """
        for path in directory.glob("events.out.tfevents.*"):
            _keep_until(until_step, path)
        self._directory = directory
        with tensorflow_file_errors():
            self._writer = tf.summary.create_file_writer(str(directory))
        self._at, self._seconds_between = time.monotonic(), seconds_between

    def on_progress(self, progress: Progress) -> None:
        """Writes the loss since the last check and the learning rate, at most once per `seconds_between`."""
        step, sums = progress.step, progress.sums
        if time.monotonic() - self._at >= self._seconds_between and sums.pairs:
            self._at = time.monotonic()
            with self._writing(step):
                tf.summary.scalar("training/loss_since_check", sums.mean_loss)
                tf.summary.scalar("training/learning_rate", progress.learning_rate)

    def on_check(self, check: Check) -> None:
        """Writes all metrics and the sample.

        Raises:
            OSError: the event file can't be written.
        """
        row, sample = check.row, check.sample
        self._at = time.monotonic()
        scalars = {
            "training/loss": row.loss,
            "training/accuracy": row.accuracy,
            "training/perplexity": perplexity(row.loss),
            "training/learning_rate": row.learning_rate,
            "training/gradient_norm": row.gradient_norm,
            "validation/loss": row.validation_loss,
            "validation/accuracy": row.validation_accuracy,
            "validation/perplexity": None if row.validation_loss is None else perplexity(row.validation_loss),
            "validation/bits_per_character": row.validation_bits_per_character,
            "speed/pairs_per_second": row.pairs_per_second,
            "speed/waited": row.waited,
        }
        with self._writing(row.step):
            for name, value in scalars.items():
                if value is not None:
                    tf.summary.scalar(name, value)
            # TensorBoard renders Markdown, where a line indented by four spaces is shown unchanged.
            tf.summary.text("sample", "    " + sample.replace("\n", "\n    "))

    @contextlib.contextmanager
    def _writing(self, step: int) -> Iterator[None]:
        """Inside the context, events of a step are written; raises the OSError that TensorFlow's writer discards."""
        before = self._size()
        with self._writer.as_default(step):
            yield
        self._writer.flush()
        if self._size() > before:
            return
        probe = self._directory / "probe.tmp"
        try:
            write_atomically(probe, bytes(_PROBE_BYTES))
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._directory)) from error
        probe.unlink()
        raise OSError(errno.EIO, "TensorFlow could not write its events", str(self._directory))

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self._directory.glob("events.out.tfevents.*"))


def _keep_until(step: int, path: Path) -> None:
    """Rewrites an event file with only its events up to a step."""
    kept = []
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            if tf.compat.v1.Event.FromString(record).step <= step:
                kept.append(record)
    except tf.errors.DataLossError:
        pass  # A killed process may leave an incomplete last record.
    # The name is not that of an event file, so TensorBoard ignores it if the process is killed here.
    temporary = path.with_name("kept.tmp")
    with tensorflow_file_errors(), tf.io.TFRecordWriter(str(temporary)) as writer:
        for record in kept:
            writer.write(record)
    write_atomically(path, temporary)
